"""`harness_metadata`: where the tables are declared."""

from __future__ import annotations

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestMetadata(OptionLaws):
    """The laws of every option."""

    name = "metadata"
    first = "shop.models:Base"
    second = "shop.other:metadata"


_TABLES = """
    import sqlalchemy as sa

    metadata = sa.MetaData()
    sa.Table("extra", metadata, sa.Column("id", sa.Integer))
"""


@pytest.mark.parametrize("name", ["shop.models:Base", "shop.models:Base.metadata", "shop.models:User"])
def test_a_base_a_metadata_and_a_model_name_their_tables(project: Project, name: str) -> None:
    """Whatever has a MetaData will do."""
    project.app().ini(f"harness_metadata = {name}").write(
        test_it="""
            def test_it(db_session):
                from shop.models import User
                assert db_session.query(User).count() == 0
        """
    )
    project.run().assert_passed(1)


def test_several_are_all_created(project: Project) -> None:
    """An application may have more than one base."""
    project.app().ini("harness_metadata = shop.models:Base tables:metadata").write(
        tables=_TABLES,
        test_it="""
            from sqlalchemy import inspect

            def test_it(db_engine):
                assert set(inspect(db_engine).get_table_names()) == {"users", "extra"}
        """,
    )
    project.run().assert_passed(1)


def test_only_what_is_named_is_created(project: Project) -> None:
    """What the app imports besides is left alone."""
    project.app().ini("harness_app = shop.main:app", "harness_metadata = tables:metadata").write(
        tables=_TABLES,
        test_it="""
            from sqlalchemy import inspect

            def test_it(db_engine):
                assert inspect(db_engine).get_table_names() == ["extra"]
        """,
    )
    project.run().assert_passed(1)


@pytest.mark.parametrize(
    ("value", "fragments"),
    [
        ("shop.models:Bsae", ("has no attribute 'Bsae'", "did you mean 'Base'?")),
        ("shop.nowhere:Base", ("module 'shop.nowhere' does not exist",)),
        ("shop.main:lives", ("shop.main:lives",)),
    ],
)
def test_a_wrong_reference_is_told(project: Project, value: str, fragments: tuple[str, ...]) -> None:
    """With the option's name and what is there instead."""
    project.app().ini(f"harness_metadata = {value}").write(test_it="def test_it(db_session): pass")
    result = project.run()

    assert 1 == result.errors, result.text
    result.assert_says("harness_metadata", *fragments)
