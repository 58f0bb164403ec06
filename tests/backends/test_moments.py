"""`harness_now`: time that goes on between the application's transactions, on every driver; and what it leaves."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import URL

from tests.support.diary import APPS, MODELS
from tests.support.projects import Project, new_project
from tests.support.servers import a_role, asking, text_of

_LAWS = """
    from datetime import date, datetime, timedelta, timezone
    import pytest
    from sqlalchemy import func, literal_column, select, text
    from shop.main import engine
    from shop.models import Note

    def test_rows_of_two_requests_are_in_order(client):
        first, second = client.post("/notes/a").json(), client.post("/notes/b").json()
        assert first["created"] == first["updated"] < second["created"] == second["updated"]
        assert client.get("/notes").json() == ["b", "a"]

    def test_a_change_is_later_than_the_row(client):
        made = client.post("/notes/a").json()
        changed = client.put(f"/notes/{made['id']}").json()
        assert changed["created"] == made["created"] < changed["updated"]

    def test_within_a_transaction_it_stands_still(db_session):
        first = db_session.scalar(select(func.now()))
        db_session.add(Note(text="a"))
        db_session.flush()
        with db_session.begin_nested():
            db_session.add(Note(text="b"))
        with db_session.begin_nested() as inner:
            db_session.add(Note(text="c"))
            db_session.flush()
            inner.rollback()
        db_session.add(Note(text="d"))
        db_session.flush()
        assert {first} == set(db_session.scalars(select(func.now()).union(select(Note.created), select(Note.updated))))

    def test_between_two_it_goes_on(db_session):
        seen = []
        for end in (db_session.commit, db_session.rollback, db_session.close) * 3:
            seen.append(db_session.scalar(select(func.current_timestamp())))
            end()
        assert seen == sorted(set(seen))

    def test_a_request_inside_of_the_tests_transaction_has_its_own_time(client, db_session):
        before = db_session.scalar(select(func.now()))
        db_session.add(Note(text="outer"))
        db_session.flush()
        created = datetime.fromisoformat(client.post("/notes/inner").json()["created"]).replace(tzinfo=before.tzinfo)
        assert created > before
        assert db_session.scalar(select(func.now())) == before
        db_session.add(Note(text="later"))
        db_session.flush()
        late = select(Note.created).where(Note.text.in_(["outer", "later"]))
        assert [before.replace(tzinfo=None)] * 2 == [moment.replace(tzinfo=None) for moment in db_session.scalars(late)]

    def test_after_an_error_it_goes_on(client, db_session):
        first = client.post("/notes/a").json()["created"]
        for statement in ("SELECT nothing FROM nowhere", "INSERT INTO notes (text) VALUES (NULL)"):
            with pytest.raises(Exception, match="nothing|nowhere|null|NULL"):
                db_session.execute(text(statement))
            db_session.rollback()
        assert client.post("/notes/b").json()["created"] > first

    def test_it_is_today(db_session):
        moment = db_session.scalar(select(func.now()))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        assert abs(datetime.now(timezone.utc) - moment) < timedelta(minutes=5)
        assert str(db_session.scalar(text("SELECT CURRENT_DATE")))[:10] in {
            str(moment.date()), str(moment.date() + timedelta(days=1)), str(moment.date() - timedelta(days=1))
        }

    @pytest.mark.harness(now="frozen")
    def test_a_test_may_have_it_as_the_database_has_it(db_session):
        seen = set()
        for _ in range(3):
            seen.add(str(db_session.scalar(text("SELECT CURRENT_TIMESTAMP"))))
            db_session.commit()
        assert len(seen) <= FROZEN_AT_MOST and all(len(moment) == FROZEN_LENGTH or LENGTH_VARIES for moment in seen)

    def test_and_the_next_one_advances_again(db_session):
        test_between_two_it_goes_on(db_session)

    @pytest.mark.harness(isolation="none")
    def test_without_isolation_it_goes_on_too(db_session):
        test_between_two_it_goes_on(db_session)
"""
_POSTGRES_LAWS = """

    def test_every_word_for_it_agrees(db_session):
        row = db_session.execute(text(
            "SELECT now(), transaction_timestamp(), CURRENT_TIMESTAMP, LOCALTIMESTAMP, CURRENT_DATE, CURRENT_TIME,"
            " LOCALTIME, CURRENT_TIMESTAMP(3) AS a, LOCALTIMESTAMP(0) AS b, CURRENT_TIME(2) AS c, LOCALTIME(1) AS d,"
            " pg_catalog.now() AS p,"
            " statement_timestamp() >= now(), now() <= clock_timestamp()"
        )).one()
        assert list(row._mapping)[:7] == [
            "now", "transaction_timestamp", "current_timestamp", "localtimestamp", "current_date", "current_time",
            "localtime",
        ]
        now = row.now
        assert now == row.transaction_timestamp == row.current_timestamp == row.p
        assert row[12] and row[13]
        local = row.localtimestamp
        assert (row.current_date, row.localtime) == (local.date(), local.time())
        assert row.current_time.replace(tzinfo=None) == local.time()
        for rounded, exact, digits in ((row[7], now, 3), (row[8], local, 0)):
            assert abs(rounded - exact) <= timedelta(seconds=0.51 * 10**-digits)
            assert round(rounded.microsecond / 10 ** (6 - digits), 9) % 1 == 0
        assert row[9].microsecond % 10000 == row[10].microsecond % 100000 == 0

    def test_triggers_have_it_too(db_session):
        seen = []
        for text_ in ("a", "b"):
            db_session.execute(text("INSERT INTO logged (text) VALUES (:text)"), {"text": text_})
            seen.append(db_session.scalar(select(func.now())))
            db_session.commit()
        assert seen == list(db_session.scalars(text("SELECT at FROM logged ORDER BY id")))
        assert seen[0] < seen[1]

    def test_a_check_against_it_holds(db_session):
        for _ in range(2):
            db_session.execute(text("INSERT INTO logged (text, past) VALUES ('c', now())"))
            db_session.commit()
"""
_TRIGGERS = """

    for statement in (
        "CREATE TABLE logged (id serial PRIMARY KEY, text text, at timestamptz, "
        "past timestamptz CHECK (past <= now()))",
        "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.at := CURRENT_TIMESTAMP; RETURN NEW; END $$",
        "CREATE TRIGGER stamped BEFORE INSERT ON logged FOR EACH ROW EXECUTE FUNCTION stamp()",
    ):
        event.listen(Base.metadata, "after_create", DDL(statement))
    for statement in ("DROP TABLE logged", "DROP FUNCTION stamp()"):
        event.listen(Base.metadata, "before_drop", DDL(statement))
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """An empty project."""
    return new_project(pytester)


def laws(*, postgres: bool) -> str:
    """The tests of the inner run: SQLite's own time has seconds and is not frozen, PostgreSQL's has microseconds."""
    source = _LAWS + (_POSTGRES_LAWS if postgres else "")
    values = {"FROZEN_AT_MOST": "1" if postgres else "3", "FROZEN_LENGTH": "19", "LENGTH_VARIES": str(postgres)}
    for name, value in values.items():
        source = source.replace(name, value)
    return source


@pytest.mark.parametrize("driver", ["sqlite3", "aiosqlite"])
def test_the_laws_of_time_on_sqlite(project: Project, driver: str) -> None:
    """As on a server, with microseconds where SQLite's own has seconds."""
    project.write(shop____init__="", shop__models=MODELS, shop__main=APPS[driver], test_it=laws(postgres=False))
    project.ini("harness_app = shop.main:app", "harness_now = advancing")

    project.run_apart().assert_passed(10)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "psycopg_async", "asyncpg"])
def test_the_laws_of_time_on_postgresql(project: Project, postgres_url: URL, driver: str) -> None:
    """Constant within a transaction of the application, later in the next; nothing is left in the user's database."""
    project.write(shop____init__="", shop__models=MODELS + _TRIGGERS, shop__main=APPS[driver])
    project.write(test_it=laws(postgres=True))
    project.ini("harness_app = shop.main:app", "harness_now = advancing", f"harness_database = {text_of(postgres_url)}")

    try:
        project.run_apart().assert_passed(13)
        with asking(postgres_url) as connection:
            assert connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'harness_clock'").fetchall() == []
    finally:
        with asking(postgres_url) as connection:
            connection.execute("DROP FUNCTION IF EXISTS stamp() CASCADE")


_OLD_TABLES = """
    CREATE TABLE notes (
        id serial PRIMARY KEY, text text NOT NULL, created timestamptz DEFAULT now(), updated timestamptz DEFAULT now()
    );
    CREATE FUNCTION told() RETURNS timestamptz LANGUAGE sql AS 'SELECT CURRENT_TIMESTAMP';
"""
_DEFAULTS = "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'notes'::regclass ORDER BY adnum"


@pytest.mark.parametrize("schema", ["none", "metadata"])
def test_tables_that_were_there_before_take_part_and_are_left_as_they_were(
    project: Project, postgres_url: URL, schema: str
) -> None:
    """Their defaults, and functions, are others within each test's transaction only: a kill leaves nothing either."""
    project.write(shop____init__="", shop__models=MODELS, shop__main=APPS["psycopg"])
    project.write(
        test_it=f"""
            import os
            import signal
            import psycopg
            from sqlalchemy import func, select, text

            def other(sql):
                with psycopg.connect({text_of(postgres_url)!r}, autocommit=True) as connection:
                    return connection.execute(sql).fetchall()

            def test_rows(client, db_session):
                first, second = client.post("/notes/a").json(), client.post("/notes/b").json()
                assert first["created"] == first["updated"] < second["created"]
                db_session.rollback()
                assert db_session.execute(text("SELECT told() = now()")).scalar_one()
                seen = other("SELECT to_regnamespace('harness_clock')::text")
                assert seen == [("harness_clock",)]
                if "KILLED" in os.environ:
                    os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    project.ini("harness_app = shop.main:app", "harness_now = advancing", f"harness_database = {text_of(postgres_url)}")
    with asking(postgres_url) as connection:
        connection.execute(_OLD_TABLES)
        before = connection.execute(_DEFAULTS).fetchall()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KILLED", "yes")
            assert project.run_apart(f"--harness-schema={schema}").passed == 0
        with asking(postgres_url) as connection:
            assert connection.execute(_DEFAULTS).fetchall() == before

        project.run_apart(f"--harness-schema={schema}").assert_passed(1)

        with asking(postgres_url) as connection:
            assert connection.execute(_DEFAULTS).fetchall() == before
            assert connection.execute("SELECT to_regnamespace('harness_clock')").fetchall() == [(None,)]
            assert connection.execute("SELECT prosrc FROM pg_proc WHERE proname = 'told'").fetchall() == [
                ("SELECT CURRENT_TIMESTAMP",)
            ]
    finally:
        with asking(postgres_url) as connection:
            connection.execute("DROP TABLE IF EXISTS notes, tags, bigs, smalls; DROP FUNCTION told()")


_TOUCH = """
    def test_it(client):
        client.post("/notes/a")

    def test_next(client):
        client.post("/notes/a")
"""


def test_a_role_that_may_not_make_the_functions_is_told(project: Project, postgres_url: URL) -> None:
    """Each test that needs the database is told what is missing and what to do; nothing falls back quietly."""
    project.write(shop____init__="", shop__models=MODELS, shop__main=APPS["psycopg"], test_it=_TOUCH)
    with a_role(postgres_url, "GRANT CREATE ON SCHEMA public TO guest") as url:
        project.ini("harness_app = shop.main:app", "harness_now = advancing", f"harness_database = {text_of(url)}")
        result = project.run_apart()

    assert result.passed == 0, result.text
    result.assert_says(
        "harness_now 'advancing' cannot be used in this database",
        "permission denied for database",
        "GRANT CREATE ON DATABASE",
        "harness_now = frozen",
    )


def test_a_role_that_does_not_own_a_table_is_told(project: Project, postgres_url: URL) -> None:
    """The column whose default cannot be changed is named, and the function."""
    project.write(shop____init__="", shop__models=MODELS, shop__main=APPS["psycopg"], test_it=_TOUCH)
    database = postgres_url.database
    with asking(postgres_url) as connection:
        connection.execute(_OLD_TABLES)
    try:
        with a_role(postgres_url, f'GRANT CREATE ON DATABASE "{database}" TO guest') as url:
            project.ini("harness_app = shop.main:app", "harness_now = advancing", f"harness_database = {text_of(url)}")
            result = project.run_apart("--harness-schema=none")
            with asking(postgres_url) as connection:
                left = connection.execute("SELECT to_regnamespace('harness_clock')").fetchall()
    finally:
        with asking(postgres_url) as connection:
            connection.execute("DROP TABLE notes; DROP FUNCTION told()")

    assert result.passed == 0, result.text
    assert left == [(None,)], result.text
    result.assert_says(
        "the default of public.notes.created", "the function public.told", "only their owner", "harness_now = frozen"
    )
