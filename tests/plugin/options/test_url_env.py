"""`harness_url_env`: variables that tell the application where the test database is."""

from __future__ import annotations

import os

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestUrlEnv(OptionLaws):
    """The laws of every option."""

    name = "url_env"
    first = "SHOP_URL"
    second = "SHOP_READ_URL"


_READER = """
    import os
    from fastapi import FastAPI
    from sqlalchemy import create_engine
    from shop.models import Base

    url = os.environ["SHOP_URL"]
    engine = create_engine(url)
    app = FastAPI()
"""


@pytest.mark.parametrize("place", ["app", "conftest", "test module"])
def test_the_variables_are_set_before_the_app_is_imported(project: Project, place: str) -> None:
    """Also when a conftest or a test module imports it."""
    project.app().ini("harness_app = shop.reader:app", "harness_url_env = SHOP_URL SHOP_READ_URL").write(
        shop__reader=_READER,
        conftest="from shop.reader import app\n" if place == "conftest" else "",
        test_it=("from shop.reader import app\n" if place == "test module" else "")
        + "import os\n"
        + "def test_it(client, db_url):\n"
        + "    from shop.reader import url\n"
        + "    assert url.startswith('sqlite')\n"
        + "    assert os.environ['SHOP_READ_URL'] == url\n",
    )
    project.run_apart().assert_passed(1)


def test_the_variables_are_restored_after_the_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that had a value has it again, and the other is gone."""
    monkeypatch.setenv("SHOP_URL", "before")
    monkeypatch.delenv("SHOP_READ_URL", raising=False)
    project.app().ini("harness_app = shop.reader:app", "harness_url_env = SHOP_URL SHOP_READ_URL").write(
        shop__reader=_READER, test_it="def test_it(client): pass"
    )
    project.run().assert_passed(1)

    assert ("before", None) == (os.environ["SHOP_URL"], os.environ.get("SHOP_READ_URL"))


def test_an_open_quote_in_the_environment_is_a_usage_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable with several values is split like a shell does."""
    monkeypatch.setenv("HARNESS_URL_ENV", "'SHOP_URL")
    project.write(test_it="def test_it(): pass")

    project.run().assert_usage_error("HARNESS_URL_ENV cannot be split", "close every quote")


@pytest.mark.parametrize(
    ("kind", "option"), [("sync", "SHOP_URL"), ("sync", "SHOP_URL=sync"), ("async", "SHOP_URL=async")]
)
def test_an_app_that_makes_its_engine_from_the_variable(project: Project, kind: str, option: str) -> None:
    """The URL has the kind of driver that the option asks for."""
    reading(project, kind, option).run_apart().assert_passed(1)


def test_an_async_app_that_is_given_a_sync_url_is_told_how_to_ask(project: Project) -> None:
    """SQLAlchemy's own error, with the option that ends it."""
    result = reading(project, "async", "SHOP_URL").run_apart()

    assert 1 == result.errors, result.text
    result.assert_says("requires an async driver", "harness_url_env", "NAME=async")


def reading(project: Project, kind: str, option: str) -> Project:
    """An app that makes its engine from the variable SHOP_URL."""
    make = "create_engine" if kind == "sync" else "create_async_engine"
    fixed = f'engine = {make}("sqlite{"+aiosqlite" if kind == "async" else ""}:///production.db")'
    project.app(kind).ini("harness_app = shop.main:app", f"harness_url_env = {option}")
    main = project.path / "shop/main.py"
    assert fixed in main.read_text()
    main.write_text("import os\n" + main.read_text().replace(fixed, f'engine = {make}(os.environ["SHOP_URL"])'))
    return project.write(test_it="def test_it(client):\n    assert client.post('/users/ann').status_code == 201\n")
