"""Histories that are not as they should be: each is told with the revision, the place and what to do."""

from __future__ import annotations

import os

import pytest
from alembic.config import Config

from tests.support.migrations import USERS, alembic, revision, shop
from tests.support.projects import Project, Result

_UP, _DOWN = 'op.create_table("a", sa.Column("id", sa.Integer))', 'op.drop_table("a")'


def prepared(project: Project, name: str) -> Project:
    """Have a project run one of the tests of every history."""
    project.write(test_migrations=f"from harness.migrations.tests import {name}\n")
    return project.ini("harness_app = shop.main:app")


def run(project: Project, name: str) -> Result:
    """Run one of the tests of every history."""
    return prepared(project, name).run()


def test_a_broken_migration_is_named(project: Project) -> None:
    """With its revision, the line in it, and what the database says."""
    shop(project)
    revision(project, "c3", "b2", 'op.execute("UPDATE nobody SET name = 1")', "pass", "Break it")
    result = run(project, "test_upgrade")

    assert 1 == result.failed, result.text
    result.assert_says(
        "harness: the upgrade to heads failed in revision c3 (Break it)",
        "migrations/versions/c3.py:10",
        "OperationalError: no such table: nobody",
        "in UPDATE nobody SET name = 1",
        "mend that migration",
    )
    assert "Traceback" not in result.text


def test_only_the_tests_of_a_broken_migration_fail(project: Project) -> None:
    """Those of the revisions before it do not reach it."""
    shop(project)
    revision(project, "c3", "b2", "raise ValueError('not yet')", "pass", "Break it")
    result = run(project, "test_up_down_up")

    assert (2, 1) == (result.passed, result.failed), result.text
    result.assert_says("the upgrade to c3 failed in revision c3", "ValueError: not yet")


def test_an_error_of_env_is_told_with_its_line(project: Project) -> None:
    """It is in no revision."""
    shop(project).write(migrations__env="import shop.models\nraise RuntimeError('no settings')\n")
    result = run(project, "test_upgrade")

    assert 1 == result.failed, result.text
    result.assert_says("the upgrade to heads failed\n", "migrations/env.py:2", "RuntimeError: no settings")


def test_two_heads_are_named(project: Project) -> None:
    """With their files, and how to merge them; other tests of them run all the same."""
    shop(project)
    revision(project, "c3", "b2", message="Mine")
    revision(project, "d4", "b2", message="Yours")
    result = run(project, "test_single_head")

    assert 1 == result.failed, result.text
    result.assert_says(
        "harness: the migrations have 2 heads",
        "c3 (Mine) in migrations/versions/c3.py",
        "d4 (Yours) in migrations/versions/d4.py",
        'alembic merge -m "merge heads" ',
    )
    run(project, "test_upgrade").assert_passed(1)


def test_a_history_with_a_gap_is_told_by_each_test(project: Project) -> None:
    """As there are no revisions to make tests of, one test says why."""
    shop(project)
    revision(project, "c3", "gone")
    result = run(project, "test_single_head, test_up_down_up")

    assert 2 == result.errors, result.text
    result.assert_says("the migrations cannot be read: ", "gone", "alembic history", "test_up_down_up[no_revisions]")


def test_a_file_with_a_syntax_error_is_named(project: Project) -> None:
    """With its line."""
    shop(project).write(migrations__versions__c3="revision = 'c3'\ndef upgrade(:\n")
    result = run(project, "test_single_head")

    assert 1 == result.errors, result.text
    result.assert_says("the migrations cannot be read: SyntaxError", "migrations/versions/c3.py:2")


# -- downgrades --------------------------------------------------------------------------------------------------------


def test_an_empty_downgrade_is_told(project: Project) -> None:
    """With what it leaves, and how to say that it is meant."""
    shop(project)
    revision(project, "c3", "b2", _UP, "pass", "Add a")
    result = run(project, "test_up_down_up")

    assert (2, 1) == (result.passed, result.failed), result.text
    result.assert_says(
        "harness: the downgrade of revision c3 (Add a) does not undo its upgrade",
        "downgrade() is empty",
        "table a is still there",
        "harness_irreversible = c3",
    )


def test_a_downgrade_that_forgets_something_is_told(project: Project) -> None:
    """Each thing once: what belongs to a table is not told beside it."""
    shop(project)
    add = 'op.add_column("users", sa.Column("age", sa.Integer)); op.create_index("by_age", "users", ["age"])'
    revision(project, "c3", "b2", f"{_UP}; {add}", 'op.drop_table("a"); op.drop_index("by_age", table_name="users")')
    result = run(project, "test_up_down_up")

    assert 1 == result.failed, result.text
    result.assert_says("does not undo its upgrade", "column users.age is still there")
    assert "table a" not in result.text
    assert "by_age" not in result.text
    assert "is empty" not in result.text


def test_a_downgrade_that_raises_not_implemented_is_told(project: Project) -> None:
    """With how to say that it is meant."""
    shop(project)
    revision(project, "c3", "b2", _UP, "raise NotImplementedError")
    result = run(project, "test_up_down_up")

    assert 1 == result.failed, result.text
    result.assert_says(
        "revision c3 (c3) cannot be downgraded: downgrade() raises NotImplementedError",
        "migrations/versions/c3.py:13",
        "harness_irreversible = c3",
    )


def test_a_missing_downgrade_is_told(project: Project) -> None:
    """With how to say that it is meant."""
    shop(project)
    revision(project, "c3", "b2", _UP)
    path = project.path / "migrations/versions/c3.py"
    path.write_text(path.read_text().partition("def downgrade")[0])
    result = run(project, "test_up_down_up")

    assert 1 == result.failed, result.text
    result.assert_says("revision c3 (c3) cannot be downgraded: it has no downgrade()", "harness_irreversible = c3")


def test_a_second_upgrade_that_makes_something_else_is_told(project: Project) -> None:
    """The first one has left something outside of the database."""
    shop(project)
    extra = 'op.create_table("twice" if getattr(op, "again", 0) else "once", sa.Column("id", sa.Integer))'
    drop = 'op.drop_table("once"); op.again = 1'
    revision(project, "c3", "b2", extra, drop)
    result = prepared(project, "test_up_down_up").run_apart()

    assert 1 == result.failed, result.text
    result.assert_says("the second upgrade of revision c3", "table once is gone", "table twice is still there")


# -- models ------------------------------------------------------------------------------------------------------------


def test_each_difference_from_the_models_is_told(project: Project) -> None:
    """In words, with what to do."""
    alembic(project.app())
    revision(project, "a1", None, f'{USERS}; op.create_table("old", sa.Column("id", sa.Integer))')
    result = run(project, "test_models_match")

    assert 1 == result.failed, result.text
    result.assert_says(
        "harness: models and migrations differ in 3 places",
        "table old is in the database only",
        "the nullable of column users.name is True in the database, False in the models",
        "constraint (name) of table users is in the models only",
        "alembic revision --autogenerate",
        "include_object",
    )


def test_what_env_leaves_out_is_left_out(project: Project) -> None:
    """`include_object` of env.py decides what is compared."""
    names = ', include_object=lambda o, name, kind, reflected, to: name != "old"'
    alembic(project.app(), options=names)
    table = USERS.replace("sa.String)", "sa.String, nullable=False, unique=True)")
    revision(project, "a1", None, f'{table}; op.create_table("old", sa.Column("id", sa.Integer))')

    run(project, "test_models_match").assert_passed(1)


# -- what is not there -------------------------------------------------------------------------------------------------


def test_no_alembic_ini_says_where_it_was_looked_for(project: Project) -> None:
    """In each test, also in the one that would be one for each revision."""
    project.app()
    result = run(project, "*")

    assert 4 == result.errors, result.text
    result.assert_says(
        "migrations shall be tested, and there is no alembic.ini", f"{project.path} and the directories in it",
        "ALEMBIC_CONFIG=path/to/alembic.ini",
    )  # fmt: skip


def test_the_variable_of_alembic_names_the_file(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for Alembic's own command line; one that does not exist is told."""
    shop(project)
    (project.path / "alembic.ini").rename(project.path / "other.ini")
    monkeypatch.setenv("ALEMBIC_CONFIG", "other.ini")
    run(project, "test_upgrade").assert_passed(1)

    monkeypatch.setenv("ALEMBIC_CONFIG", "wrong.ini")
    result = run(project, "test_upgrade")
    result.assert_says("the file that ALEMBIC_CONFIG names does not exist", "wrong.ini")


def test_no_script_location_says_where_it_was_looked_for(project: Project) -> None:
    """A plain path counts from the current directory, or from that of alembic.ini."""
    shop(project)
    (project.path / "migrations").rename(project.path / "elsewhere")
    result = run(project, "test_upgrade")
    assert 1 == result.errors, result.text
    result.assert_says("the directory of the migrations does not exist", str(project.path / "migrations"))

    (project.path / "alembic.ini").write_text("[alembic]\n")
    result = run(project, "test_upgrade")
    result.assert_says("alembic.ini does not say where the migrations are", "script_location = %(here)s/migrations")


def test_alembic_one_level_below_is_found(project: Project) -> None:
    """Its plain script_location counts from there, too."""
    shop(project)
    (project.path / "backend").mkdir()
    for name in ("alembic.ini", "migrations"):
        (project.path / name).rename(project.path / "backend" / name)

    run(project, "test_upgrade").assert_passed(1)


def test_pyproject_may_configure_alembic(project: Project) -> None:
    """With an alembic.ini for the rest, or without one."""
    if not hasattr(Config, "get_alembic_option"):
        pytest.skip(reason="Alembic reads pyproject.toml since 1.16")
    shop(project)
    (project.path / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "%(here)s/migrations"\n')
    ini = project.path / "alembic.ini"
    ini.write_text(ini.read_text().replace("script_location = migrations\n", ""))
    run(project, "test_upgrade").assert_passed(1)

    ini.unlink()
    env = project.path / "migrations/env.py"
    env.write_text(env.read_text().replace("fileConfig(config.config_file_name)\n", ""))
    run(project, "test_upgrade").assert_passed(1)


def test_a_missing_alembic_names_the_extra(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the import as for the option."""
    monkeypatch.setenv("PYTHONPATH", str(project.path) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    shop(project).write(hide="import sys\nsys.modules['alembic'] = None\n")
    result = prepared(project, "*").run_apart("-p", "hide")

    assert 4 == result.errors, result.text
    result.assert_says("alembic is not installed", 'pip install "pytest-fastapi-harness[alembic]"')


def test_a_history_of_another_kind_of_database_is_told(project: Project) -> None:
    """The statement is right there, so it is not the migration that is to be mended."""
    shop(project)
    path = project.path / "shop/main.py"
    path.write_text(path.read_text().replace("sqlite:///production.db", "postgresql+psycopg://nobody@production/app"))
    revision(project, "c3", "b2", 'op.execute("CREATE EXTENSION citext")')
    result = run(project, "test_upgrade")

    assert 1 == result.failed, result.text
    result.assert_says(
        "failed in revision c3", "as the application is made for postgresql, run it on that: --harness-database"
    )
