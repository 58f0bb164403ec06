"""What kind of statement is it? A read only if it provably changes nothing."""

from __future__ import annotations

import pytest

from harness.isolation.statements import Classifier, Kind, classify

CASES = {
    Kind.READ: [
        "SELECT 1",
        "  \n select * from users",
        "(SELECT 1) UNION (SELECT 2)",
        "-- a comment\nSELECT 1",
        "/* one */ /* two\nlines */ SELECT 1",
        "WITH recent AS (SELECT * FROM users) SELECT * FROM recent",
        "VALUES (1), (2)",
        "TABLE users",
        "SHOW server_version",
        "EXPLAIN SELECT 1",
        "SELECT currval('users_id_seq')",
        "SELECT nextvalue FROM prices",
        "SELECT 1;",
    ],
    Kind.WRITE: [
        "INSERT INTO users VALUES (1)",
        "update users set name = 'x'",
        "DELETE FROM users",
        "MERGE INTO users USING other ON true WHEN MATCHED THEN DO NOTHING",
        "REPLACE INTO users VALUES (1)",
        "WITH new AS (INSERT INTO users VALUES (1) RETURNING *) SELECT * FROM new",
        "WITH gone AS (DELETE FROM users RETURNING *) SELECT count(*) FROM gone",
        "SELECT * FROM users FOR UPDATE",
        "SELECT * FROM users FOR NO KEY UPDATE SKIP LOCKED",
        "SELECT * FROM users FOR SHARE",
        "SELECT * INTO copied FROM users",
        "SELECT nextval('users_id_seq')",
        "SELECT pg_catalog.setval ('users_id_seq', 1)",
        "SELECT pg_advisory_xact_lock(1)",
        "SELECT set_config('app.user', 'ann', true)",
        "SELECT pg_notify('a', 'b')",
        "EXPLAIN ANALYZE DELETE FROM users",
        "CALL do_it()",
        "DO $$ BEGIN DELETE FROM users; END $$",
        "COPY users FROM STDIN",
        "LOCK TABLE users",
        "NOTIFY channel",
        "",
        "-- nothing but a comment",
        "SOMETHING NEW",
        "SELECT 1; DELETE FROM users",
        "SELECT 1; DROP TABLE users",
        "SELECT 1; TRUNCATE users",
        "SET search_path = shop; INSERT INTO users VALUES (1)",
        "SELECT 1; CALL do_it()",
    ],
    Kind.SETTING: ["SET search_path = shop", "SET LOCAL app.user = 'ann'", "PRAGMA foreign_keys = ON"],
    Kind.DDL: [
        "CREATE TABLE t (x int)",
        "ALTER TABLE t ADD y int",
        "DROP TABLE t",
        "TRUNCATE users",
        "CREATE INDEX i ON t (x)",
        "COMMENT ON TABLE t IS 'x'",
        "GRANT SELECT ON t TO ann",
        "CREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1; END; $$ LANGUAGE plpgsql",
        "CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ BEGIN; COMMIT; END; $$ LANGUAGE plpgsql",
        "CREATE TRIGGER t AFTER INSERT ON users BEGIN UPDATE users SET name = 'x'; END",
        "CREATE TEMP TRIGGER t AFTER INSERT ON users BEGIN UPDATE users SET name = 'x'; END;",
        "CREATE TRIGGER IF NOT EXISTS t AFTER INSERT ON users BEGIN DELETE FROM x; END;",
    ],
    Kind.BEGIN: ["BEGIN", "begin immediate", "START TRANSACTION ISOLATION LEVEL SERIALIZABLE", "BEGIN;"],
    Kind.COMMIT: ["COMMIT", "commit work", "END", "END TRANSACTION", "COMMIT;", "/* x */ COMMIT"],
    Kind.ROLLBACK: ["ROLLBACK", "ABORT", "rollback work", "ROLLBACK;"],
    Kind.SAVEPOINT: ["SAVEPOINT a", 'savepoint "A b"'],
    Kind.RELEASE: ["RELEASE SAVEPOINT a", "RELEASE a"],
    Kind.ROLLBACK_TO: ["ROLLBACK TO SAVEPOINT a", "ROLLBACK TO a", "ROLLBACK WORK TO SAVEPOINT a"],
    Kind.OUTSIDE: [
        "VACUUM",
        "VACUUM ANALYZE users",
        "CREATE DATABASE other",
        "DROP DATABASE other",
        "CREATE INDEX CONCURRENTLY i ON t (x)",
        "CREATE UNIQUE INDEX CONCURRENTLY i ON t (x)",
        "REINDEX TABLE CONCURRENTLY t",
        "ALTER SYSTEM SET work_mem = '1MB'",
        "CREATE TABLESPACE t LOCATION '/x'",
    ],
}


@pytest.mark.parametrize(("kind", "sql"), [(kind, sql) for kind, texts in CASES.items() for sql in texts])
def test_each_statement_is_what_it_is(kind: Kind, sql: str) -> None:
    """Whatever its case, comments and spaces."""
    assert kind is classify(sql).kind


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SAVEPOINT sa_savepoint_1", "sa_savepoint_1"),
        ('SAVEPOINT "A ""b"""', '"A ""b"""'),
        ("RELEASE SAVEPOINT `x`", "`x`"),
        ("ROLLBACK TO SAVEPOINT [y]", "[y]"),
        ("ROLLBACK TO z", "z"),
    ],
)
def test_a_savepoint_has_its_name(sql: str, name: str) -> None:
    """Quoted as it was written."""
    assert name == classify(sql).name


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        ("BEGIN; INSERT INTO t VALUES (1); COMMIT", ("BEGIN", "INSERT INTO t VALUES (1)", "COMMIT")),
        ("INSERT INTO t VALUES (';'); COMMIT;", ("INSERT INTO t VALUES (';')", "COMMIT")),
        ("SELECT 1; rollback; SELECT 2", ("SELECT 1", "rollback", "SELECT 2")),
        ("INSERT INTO t VALUES (1); -- ;\nCOMMIT", ("INSERT INTO t VALUES (1)", "-- ;\nCOMMIT")),
    ],
)
def test_several_statements_of_which_one_ends_the_transaction_are_split(sql: str, parts: tuple[str, ...]) -> None:
    """So that the COMMIT among them can be kept inside the test's transaction."""
    assert parts == classify(sql).parts


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES ('; COMMIT')",
        'SELECT 1 AS "; COMMIT"',
        "INSERT INTO t VALUES ($$; COMMIT;$$)",
        "INSERT INTO t VALUES ($tag$; COMMIT; $$ $tag$)",
        "SELECT 1 -- ; COMMIT",
        "SELECT 1 /* ; COMMIT; */",
        "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)",
        "SAVEPOINT a; ROLLBACK TO a",
        "INSERT INTO t VALUES ('it''s; COMMIT')",
    ],
)
def test_a_word_in_a_literal_or_comment_ends_nothing(sql: str) -> None:
    """Only statements are split, never text."""
    assert () == classify(sql).parts


def test_functions_of_the_database_that_write_are_believed() -> None:
    """The catalogue's volatile functions make a SELECT a write."""
    classifier = Classifier(frozenset({"add_user"}))

    assert Kind.WRITE is classifier("SELECT add_user('ann')").kind
    assert Kind.WRITE is classifier("SELECT shop.Add_User ('ann')").kind
    assert Kind.READ is classifier("SELECT add_user FROM t").kind


def test_the_memory_of_a_classifier_is_bounded() -> None:
    """A suite with literals in its statements does not grow without end."""
    classifier = Classifier()
    for number in range(12000):
        classifier(f"SELECT {number}")

    assert len(classifier._known) <= 5001
    assert classifier("SELECT 5") == classifier("SELECT 5")
