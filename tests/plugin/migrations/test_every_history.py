"""The tests that a project gets by asking, where all is well: by an import, and by an option."""

from __future__ import annotations

import re

import pytest

from tests.support.migrations import alembic, revision, shop
from tests.support.projects import Project

_NAMES = ["test_single_head", "test_upgrade", "test_up_down_up[a1_add_users]", "test_up_down_up[b2_shout]"]
ALL = [*_NAMES, "test_models_match"]


def ids(text: str, home: str) -> set[str]:
    return set(re.findall(rf"^{re.escape(home)}::(\S+) PASSED", text, re.MULTILINE))


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_import_gives_the_tests(project: Project, kind: str) -> None:
    """With nothing configured but the application; env.py is the one that `alembic init` writes, sync or async."""
    result = shop(project, kind).run_apart("-v")

    result.assert_passed(len(ALL))
    assert set(ALL) == ids(result.text, "test_migrations.py")


def test_an_option_gives_them_without_a_file(project: Project) -> None:
    """As tests of their own, beside those of the project."""
    shop(project).write(test_migrations="def test_mine(client): pass\n")
    result = project.run_apart("-v", "--harness-migrations=all")

    result.assert_passed(len(ALL) + 1)
    assert set(ALL) == ids(result.text, "harness::migrations")


def test_an_import_is_enough_for_a_project_that_says_nothing_else(project: Project) -> None:
    """No option is given, and the only application in the usual places is found."""
    result = shop(project).ini().run_apart(plugin=False)

    result.assert_passed(len(ALL))
    assert "harness: database in memory" not in result.header


def test_some_can_be_chosen(project: Project) -> None:
    """By name; -k chooses among them as among all tests."""
    shop(project).write(test_migrations="def test_mine(client): pass\n")
    result = project.run_apart("-v", "--harness-migrations=single_head", "--harness-migrations=up_down_up")
    assert set(_NAMES) - {"test_upgrade"} == ids(result.text, "harness::migrations"), result.text

    result = project.run_apart("-v", "--harness-migrations=all", "-k", "b2_shout")
    assert {"test_up_down_up[b2_shout]"} == ids(result.text, "harness::migrations"), result.text


def test_the_configuration_gives_them_to_whole_runs_only(project: Project) -> None:
    """Who names a file or a test gets that."""
    shop(project).write(test_migrations="def test_mine(client): pass\n")
    project.ini("harness_app = shop.main:app", "harness_migrations = all")

    project.run_apart().assert_passed(len(ALL) + 1)
    project.run_apart(".").assert_passed(len(ALL) + 1)
    project.run_apart("test_migrations.py").assert_passed(1)
    project.run_apart("test_migrations.py::test_mine").assert_passed(1)


def test_fixtures_of_a_conftest_are_for_the_tests_of_the_option(project: Project) -> None:
    """Of the directory that all tests are in, as a file there would have them."""
    shop(project).ini("harness_migrations = all")
    (project.path / "test_migrations.py").unlink()
    project.write(
        tests__conftest="""
            import pytest
            from shop.main import app

            @pytest.fixture(scope="session")
            def harness_app():
                return app

            @pytest.fixture(autouse=True)
            def told(request):
                print(f"\\nTOLD {request.node.name}")
        """,
        tests__test_it="def test_mine(client): pass\n",
    )
    result = project.run_apart("-s")

    result.assert_passed(len(ALL) + 1)
    result.assert_says(*(f"TOLD {name}" for name in ALL))


def test_they_are_shared_out_among_workers(project: Project) -> None:
    """Each worker collects the same."""
    pytest.importorskip("xdist")
    shop(project).ini("harness_app = shop.main:app", "harness_migrations = all")
    (project.path / "test_migrations.py").unlink()
    result = project.pytester.runpytest_subprocess("-p", "harness", "-p", "no:randomly", "-n", "2", timeout=180)

    assert len(ALL) == result.parseoutcomes().get("passed"), result.stdout.str()


def test_branches_that_are_merged_are_a_history_like_others(project: Project) -> None:
    """A merge is downgraded to both of its sides, and what depends on another revision finds it."""
    alembic(project.app()).ini("harness_app = shop.main:app")
    revision(project, "a1", None, 'op.create_table("a", sa.Column("id", sa.Integer))', 'op.drop_table("a")')
    revision(project, "b1", "a1", 'op.create_table("b", sa.Column("id", sa.Integer))', 'op.drop_table("b")')
    revision(project, "b2", "a1", 'op.create_table("c", sa.Column("id", sa.Integer))', 'op.drop_table("c")')
    revision(project, "m1", ("b1", "b2"))
    revision(project, "d1", "m1", 'op.create_table("d", sa.Column("id", sa.Integer))', 'op.drop_table("d")')
    project.write(test_it="from harness.migrations.tests import test_single_head, test_up_down_up, test_upgrade\n")

    project.run_apart().assert_passed(7)


def test_a_project_without_revisions_has_nothing_wrong(project: Project) -> None:
    """One head at most; the tables of the models are then the difference."""
    alembic(project.app()).ini("harness_app = shop.main:app")
    project.write(test_it="from harness.migrations.tests import *\n")
    result = project.run_apart()

    assert (2, 1) == (result.passed, result.failed), result.text
    result.assert_says("models and migrations differ in 1 place", "table users is in the models only")


def test_alembic_is_not_needed_by_those_who_do_not_ask(project: Project) -> None:
    """Neither its files nor the package."""
    project.app().write(test_it="def test_it(client): pass\n").ini("harness_app = shop.main:app")

    project.run().assert_passed(1)


def test_the_logging_of_env_is_undone(project: Project) -> None:
    """`fileConfig` disables the loggers that there are, and caplog would hear nothing any more."""
    shop(project).write(
        test_migrations="""
            import logging
            import pytest

            log = logging.getLogger("shop")

            @pytest.mark.parametrize("again", [False, True])
            def test_it(migrations, caplog, again):
                migrations.upgrade()
                log.warning("heard")
                assert caplog.messages == ["heard"]
                assert logging.getLogger().level == logging.WARNING
        """
    )
    project.run_apart().assert_passed(2)
