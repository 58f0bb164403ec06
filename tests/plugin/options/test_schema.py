"""`harness_schema`: how the tables are made."""

from __future__ import annotations

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestSchema(OptionLaws):
    """The laws of every option."""

    name = "schema"
    first = "metadata"
    second = "none"


@pytest.mark.parametrize("value", ["metadat", "alembik", "create_all"])
def test_an_unknown_value_lists_the_valid_ones(project: Project, value: str) -> None:
    """Before any test runs."""
    project.write(test_it="def test_it(): pass")

    project.run(f"--harness-schema={value}").assert_usage_error(
        f"harness_schema does not know '{value}'", "valid: metadata, alembic, none, pkg.module:function"
    )


def test_a_callable_is_called_once_with_an_engine_whose_commits_are_real(project: Project) -> None:
    """For the whole run."""
    project.app().ini("harness_app = shop.main:app", "harness_schema = build:tables").write(
        build="""
            from shop.models import Base
            calls = []

            def tables(engine):
                calls.append(engine)
                Base.metadata.create_all(engine)
        """,
        test_it="""
            import pytest
            from build import calls

            @pytest.mark.parametrize("again", [False, True])
            def test_it(client, again):
                assert client.post("/users/ann").status_code == 201
                assert len(calls) == 1
        """,
    )
    project.run().assert_passed(2)


def test_a_callable_that_raises_is_blamed(project: Project) -> None:
    """Every test that needs the schema hears why there is none; a test that does not, runs."""
    project.app().ini("harness_app = shop.main:app", "harness_schema = build:tables").write(
        build="def tables(engine):\n    raise ValueError('no way')\n",
        test_it="def test_a(client): pass\ndef test_b(client): pass\ndef test_c(): pass\n",
    )
    result = project.run()

    assert (result.errors, result.passed) == (2, 1), result.text
    result.assert_says("harness_schema 'build:tables' failed: ValueError: no way")


def test_a_callable_that_does_not_exist_is_told(project: Project) -> None:
    """With the option's name."""
    project.app().ini("harness_app = shop.main:app", "harness_schema = build:tables").write(
        test_it="def test_a(client): pass"
    )
    result = project.run()

    assert 1 == result.errors, result.text
    result.assert_says("module 'build' cannot be found", "harness_schema")


def test_none_makes_nothing(project: Project) -> None:
    """The application makes its tables itself."""
    project.app().ini("harness_app = shop.main:app", "harness_schema = none").write(
        test_it="""
            from sqlalchemy import inspect

            def test_it(db_engine, client):
                assert inspect(db_engine).get_table_names() == []
        """
    )
    project.run().assert_passed(1)


def test_none_together_with_metadata_is_a_conflict(project: Project) -> None:
    """The message names both places."""
    project.ini("harness_metadata = shop.models:Base").write(test_it="def test_it(): pass")

    project.run("--harness-schema=none").assert_usage_error(
        "harness_metadata has no use with harness_schema 'none'", "pytest.ini and --harness-schema"
    )


def test_alembic_without_its_ini_is_told(project: Project) -> None:
    """With where it was looked for."""
    project.app().ini("harness_app = shop.main:app", "harness_schema = alembic")
    project.write(test_it="def test_a(client): pass")
    result = project.run()

    assert 1 == result.errors, result.text
    result.assert_says("there is no alembic.ini", str(project.path))
