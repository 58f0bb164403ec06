"""`harness_ids`: which ids tests see, on every driver; and what it leaves."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import URL

from harness.isolation.numbering import bases
from tests.plugin.test_docs_time import write_example
from tests.support.diary import APPS, MODELS, SQLITE_MODELS
from tests.support.projects import Project, new_project
from tests.support.servers import a_role, asking, text_of

DRIVERS = ["sqlite3", "aiosqlite", "psycopg", "psycopg2", "psycopg_async", "asyncpg"]
_TABLES = ("notes", "tags", "bigs", "smalls")
_LAWS = """
    import pytest
    from sqlalchemy import delete, text
    from shop.models import Big, Note, Small, Tag

    BASES = {bases}

    def ids(db_session, client):
        rows = [Tag(text="a"), Big(), Small()]
        db_session.add_all(rows)
        db_session.commit()
        return {{"notes": client.post("/notes/a").json()["id"]}} | {{row.__tablename__: row.id for row in rows}}

    def test_no_table_has_the_ids_of_another(db_session, client):
        assert ids(db_session, client) == {{table: base + 1 for table, base in BASES.items()}}

    def test_each_test_begins_anew(db_session, client):
        assert ids(db_session, client) == {{table: base + 1 for table, base in BASES.items()}}
        assert client.post("/notes/b").json()["id"] == BASES["notes"] + 2

    def test_after_a_rollback_too(db_session, client):
        db_session.add(Tag(text="a"))
        db_session.flush()
        db_session.rollback()
        with pytest.raises(Exception, match="null|NULL"):
            db_session.execute(text("INSERT INTO tags (text) VALUES (NULL)"))
        db_session.rollback()
        tag = Tag(text="b")
        db_session.add(tag)
        db_session.commit()
        assert BASES["tags"] < tag.id <= BASES["tags"] + 3

    def test_a_given_id_is_taken(db_session):
        db_session.add(Tag(id=7, text="seven"))
        db_session.commit()
        tag = Tag(text="next")
        db_session.add(tag)
        db_session.commit()
        assert tag.id == BASES["tags"] + 1

    @pytest.mark.harness(ids="reset")
    def test_a_test_may_have_them_from_one(db_session, client):
        assert set(ids(db_session, client).values()) == {{1}}

    def test_and_the_next_one_distinct_again(db_session, client):
        assert ids(db_session, client) == {{table: base + 1 for table, base in BASES.items()}}
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """An empty project."""
    return new_project(pytester)


def begins(*, small: bool) -> dict[str, int]:
    """Where the tables' ids begin; on SQLite every key is as wide as the others."""
    return bases(_TABLES) | ({"smalls": bases(_TABLES, narrow=True)["smalls"]} if small else {})


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_laws_of_distinct_ids(project: Project, request: pytest.FixtureRequest, driver: str) -> None:
    """Each table has a range of its own, the same in each test."""
    postgres = "sqlite" not in driver
    lines = ["harness_app = shop.main:app", "harness_ids = distinct"]
    if postgres:
        lines.append(f"harness_database = {text_of(request.getfixturevalue('postgres_url'))}")
    project.write(
        shop____init__="",
        shop__models=MODELS if postgres else SQLITE_MODELS,
        shop__main=APPS[driver],
        test_it=_LAWS.format(bases=begins(small=postgres)),
    )
    project.ini(*lines)

    project.run_apart().assert_passed(6)


def test_the_example_of_the_manual(project: Project, postgres_url: URL) -> None:
    """As it is written, on PostgreSQL."""
    tests = write_example(project)

    project.run_apart(f"--harness-database={text_of(postgres_url)}").assert_passed(tests)


_COUNTING = """
    import pytest

    def add(client):
        return client.post("/notes/a").json()["id"]

    def test_one(client):
        assert add(client) == FIRST

    def test_two(client):
        assert add(client) == SECOND

    @pytest.mark.harness(ids="reset")
    def test_three(client):
        assert [add(client), add(client)] == [THIRD, THIRD + 1]

    def test_four(client):
        assert add(client) == FOURTH
"""


@pytest.mark.parametrize(("ids", "seen"), [("continue", (1, 2, 3, 3)), ("reset", (1, 1, 1, 1))])
def test_ids_from_test_to_test(project: Project, postgres_url: URL, ids: str, seen: tuple[int, ...]) -> None:
    """Left alone they go on counting; put back they begin anew. A test may differ."""
    source = _COUNTING
    for name, value in zip(("FIRST", "SECOND", "THIRD", "FOURTH"), seen, strict=True):
        source = source.replace(name, str(value))
    project.write(shop____init__="", shop__models=MODELS, shop__main=APPS["psycopg"], test_it=source)
    project.ini("harness_app = shop.main:app", f"harness_ids = {ids}", f"harness_database = {text_of(postgres_url)}")

    project.run_apart().assert_passed(4)


_OLD = """
    CREATE TABLE notes (
        id serial PRIMARY KEY, text text NOT NULL, created timestamptz DEFAULT now(), updated timestamptz DEFAULT now()
    );
    SELECT setval('notes_id_seq', 55000000);
"""
_INSERTS = """
    def test_it(client):
        assert client.post("/notes/a").json()["id"] == FIRST
"""


def test_no_sequence_of_the_users_is_moved_backwards_or_left_moved(project: Project, postgres_url: URL) -> None:
    """Rows may be there that it has counted."""
    project.write(shop____init__="", shop__models=MODELS, shop__main=APPS["psycopg"])
    project.write(test_it=_INSERTS.replace("FIRST", "55000001"))
    project.ini("harness_app = shop.main:app", "harness_ids = distinct", "harness_schema = none")
    with asking(postgres_url) as connection:
        connection.execute(_OLD)
    try:
        project.run_apart(f"--harness-database={text_of(postgres_url)}").assert_passed(1)
        with asking(postgres_url) as connection:
            connection.execute("SELECT setval('notes_id_seq', 5)")
        project.write(test_it=_INSERTS.replace("FIRST", str(bases(["notes"])["notes"] + 1)))
        project.run_apart(f"--harness-database={text_of(postgres_url)}").assert_passed(1)
        with asking(postgres_url) as connection:
            assert connection.execute("SELECT last_value FROM notes_id_seq").fetchone() == (5,)
    finally:
        with asking(postgres_url) as connection:
            connection.execute("DROP TABLE notes")


def test_a_role_that_may_not_set_sequences_is_told_unless_nobody_asked(project: Project, postgres_url: URL) -> None:
    """Asked for, it is an error that names them; by default ids go on counting, as the manual says."""
    project.write(
        shop____init__="", shop__models=MODELS, shop__main=APPS["psycopg"], test_it="def test_it(client): pass"
    )
    with asking(postgres_url) as connection:
        connection.execute(_OLD)
    grants = ("GRANT SELECT, INSERT ON notes TO guest", "GRANT USAGE, SELECT ON notes_id_seq TO guest")
    try:
        with a_role(postgres_url, *grants) as url:
            project.ini("harness_app = shop.main:app", "harness_schema = none", f"harness_database = {text_of(url)}")
            refused = [project.run_apart(f"--harness-ids={ids}") for ids in ("distinct", "reset")]
            source = _INSERTS.replace("FIRST", "55000001")
            project.write(test_it=source + source.replace("test_it", "test_next").replace("001", "002"))
            default = project.run_apart()
    finally:
        with asking(postgres_url) as connection:
            connection.execute("DROP TABLE notes")

    for result in refused:
        assert (result.passed, result.errors) == (0, 1), result.text
        result.assert_says(
            "may not set its sequences", "public.notes_id_seq", "asked for by --harness-ids", "GRANT UPDATE", "continue"
        )
    default.assert_passed(2)
