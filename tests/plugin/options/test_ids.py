"""`harness_ids`: which ids tests see. The laws of ids on servers are in `tests/backends`."""

from __future__ import annotations

import pytest

from tests.support.diary import APPS, MODELS
from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestIds(OptionLaws):
    """The laws of every option."""

    name = "ids"
    first = "distinct"
    second = "continue"
    default = "reset"


@pytest.mark.parametrize(
    ("value", "near"), [("distnct", "did you mean 'distinct'?"), ("unique", "valid: reset, distinct, continue")]
)
def test_an_unknown_value_lists_the_valid_ones(project: Project, value: str, near: str) -> None:
    """Before any test runs."""
    project.app().write(test_it="def test_it(): raise AssertionError")

    project.run(f"--harness-ids={value}").assert_usage_error(
        f"harness_ids does not know '{value}'", near, "valid: reset, distinct, continue"
    )


def test_a_mixed_up_key_finds_nothing(project: Project) -> None:
    """What ids from one hide: the first tag's id is the first note's too."""
    project.write(
        shop____init__="",
        shop__models=MODELS,
        shop__main=APPS["sqlite3"],
        test_it="""
            from shop.models import Note, Tag

            def test_it(db_session):
                note, tag = Note(text="a"), Tag(text="b")
                db_session.add_all([note, tag])
                db_session.commit()
                assert db_session.get(Note, tag.id) is None
        """,
    ).ini("harness_app = shop.main:app")

    assert project.run().failed == 1
    project.run("--harness-ids=distinct").assert_passed(1)


def test_the_tables_are_made_with_counters_and_the_models_are_left_alone(project: Project) -> None:
    """AUTOINCREMENT where SQLite allows it, in the database only, and only where ids are to differ."""
    project.write(
        shop____init__="",
        shop__models=MODELS,
        shop__main=APPS["sqlite3"],
        test_it="""
            import os
            from sqlalchemy import text
            from sqlalchemy.schema import CreateTable
            from shop.models import Base

            def test_it(db_session):
                made = db_session.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'notes'"))
                assert ("AUTOINCREMENT" in made) is ("DISTINCT" in os.environ)
                for table in Base.metadata.tables.values():
                    own = str(CreateTable(table).compile(db_session.get_bind()))
                    assert "AUTOINCREMENT" not in own
        """,
    ).ini("harness_app = shop.main:app")
    project.run().assert_passed(1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISTINCT", "yes")
        project.run("--harness-ids=distinct").assert_passed(1)


def test_tables_without_counters_are_named(project: Project) -> None:
    """A schema that harness does not make may have none: the run says whose ids begin at one."""
    project.app().write(
        tables="""
            from sqlalchemy import text

            def make(engine):
                with engine.begin() as connection:
                    connection.execute(text("CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR)"))
                    connection.execute(text("CREATE TABLE words (word VARCHAR PRIMARY KEY)"))
                    connection.execute(text("CREATE TABLE pets (id INTEGER PRIMARY KEY AUTOINCREMENT)"))
        """,
        test_it="""
            from sqlalchemy import text
            from shop.models import User

            def test_it(db_session):
                user = User(name="ann")
                db_session.add(user)
                db_session.commit()
                assert user.id == 1
                assert db_session.scalar(text("INSERT INTO pets DEFAULT VALUES RETURNING id")) > 100_000
        """,
    ).ini("harness_app = shop.main:app", "harness_schema = tables:make", "harness_ids = distinct")
    result = project.run()

    result.assert_passed(1)
    result.assert_says("harness_ids 'distinct': ids of users begin at 1", "without AUTOINCREMENT")


def test_one_test_may_ask_for_it_and_wider_fixtures_do_not(project: Project) -> None:
    """What a module's fixture makes has the ids that the option says, whichever test comes first."""
    project.write(
        shop____init__="",
        shop__models=MODELS,
        shop__main=APPS["sqlite3"],
        test_it="""
            import pytest
            from shop.main import SessionLocal
            from shop.models import Tag

            def tag():
                with SessionLocal() as session:
                    tag = Tag(text="a")
                    session.add(tag)
                    session.commit()
                    return tag.id

            @pytest.fixture(scope="module")
            def seed():
                return tag()

            @pytest.mark.harness(ids="distinct")
            def test_asked(seed):
                assert (seed, tag() > 100_000) == (1, True)

            def test_not_asked(seed):
                assert (seed, tag()) == (1, 2)
        """,
    ).ini("harness_app = shop.main:app")

    project.run().assert_passed(2)
