"""What harness replaces in other people's factories: each name is looked at on the installed versions.

When one of these fails after an upgrade, mend `harness/factories/factory_boy.py` or `polyfactory.py`.
"""

from __future__ import annotations

import inspect

import factory
from factory.alchemy import SQLAlchemyModelFactory, SQLAlchemyOptions
from factory.declarations import SKIP
from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory

from harness.factories.desk import Desk
from harness.factories.factory_boy import bound
from harness.factories.polyfactory import bound as polyfactory_bound


class Plain(SQLAlchemyModelFactory):  # type: ignore[misc]  # untyped
    class Meta:
        abstract = True


def no_desk() -> Desk:
    """A desk in a run without tests."""
    return Desk(make=lambda asynchronous: None, captured=lambda engine: True)


def test_factory_boys_names_have_the_shape_that_is_expected() -> None:
    """Options hold the session under its name in each factory; every call goes through `_generate`."""
    assert "sqlalchemy_session" in vars(Plain._meta)
    assert "sqlalchemy_session" not in vars(SQLAlchemyOptions)
    assert ["strategy", "params"] == list(inspect.signature(SQLAlchemyModelFactory._generate).parameters)
    assert ["model_class", "session", "args", "kwargs"] == list(
        inspect.signature(SQLAlchemyModelFactory._save).parameters
    )
    assert ["instance", "step", "extra"] == list(inspect.signature(factory.SubFactory.evaluate).parameters)[1:]
    assert SKIP is not None


def test_factory_boy_is_given_back() -> None:
    """Leaving the context restores both names, also if contexts nest."""
    before = vars(SQLAlchemyModelFactory)["_generate"]
    with bound(no_desk()):
        inner = vars(SQLAlchemyOptions)["sqlalchemy_session"]
        with bound(no_desk()):
            assert vars(SQLAlchemyOptions)["sqlalchemy_session"] is not inner
        assert vars(SQLAlchemyOptions)["sqlalchemy_session"] is inner

    assert vars(SQLAlchemyModelFactory)["_generate"] is before
    assert "sqlalchemy_session" not in vars(SQLAlchemyOptions)
    assert Plain._meta.sqlalchemy_session is None


def test_polyfactorys_names_have_the_shape_that_is_expected() -> None:
    """And are given back."""
    before = dict(vars(SQLAlchemyFactory))
    with polyfactory_bound(no_desk()):
        assert SQLAlchemyFactory.__session__ is None
        assert dict(vars(SQLAlchemyFactory)) != before

    assert dict(vars(SQLAlchemyFactory)) == before
    assert before["__session__"] is before["__async_session__"] is None
