"""`harness_databases`: further databases of the application, a line each."""

from __future__ import annotations

import pytest

import harness.errors  # noqa: F401 - kept when pytester forgets what a run has imported, so that there is one of each
from tests.support.options import OptionLaws
from tests.support.projects import Project

ANALYTICS = "analytics: sqlite url=*analytics*"


class TestDatabases(OptionLaws):
    """The laws of every option."""

    name = "databases"
    first = ANALYTICS
    second = "reporting: sqlite url=*reporting*"


def test_each_line_is_a_database(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the configuration file and in the environment variable."""
    project.app().write(
        test_it="""
            def test_it(request):
                from harness.run.life import life_of

                assert [one.name for one in life_of(request.config).run.served] == ["default", "analytics", "reporting"]
        """
    )
    monkeypatch.setenv("HARNESS_DATABASES", f"{ANALYTICS}\n{TestDatabases.second}")
    project.run().assert_passed(1)

    monkeypatch.delenv("HARNESS_DATABASES")
    project.ini("harness_databases =", f"    {ANALYTICS}", f"    {TestDatabases.second}")
    project.run().assert_passed(1)


def test_the_header_hides_passwords(project: Project) -> None:
    """Of a database that is given by its URL."""
    project.app().write(test_it="def test_it(): pass")
    result = project.run("--harness-databases=analytics: postgresql://ann:hush@localhost/app_test url=*analytics*")

    result.assert_passed(1)
    assert "analytics: postgresql://ann:***@localhost/app_test" in result.header
    assert "hush" not in result.text


@pytest.mark.parametrize(
    ("lines", "fragments"),
    [
        (["analytics"], ["does not understand 'analytics'", "begins with the database's name and a colon"]),
        (["my analytics: url=*a*"], ["does not understand 'my analytics: url=*a*'"]),
        ([ANALYTICS, ANALYTICS], ["declares 'analytics' twice", "in one line"]),
        (["analytics: url='*a*"], ["cannot read what follows 'analytics'", "close every quote"]),
        (["analytics: sqlite postgres url=*a*"], ["gives 'analytics' 2 databases: sqlite, postgres"]),
        (["analytics: sqlite ulr=*a*"], ["does not know 'ulr', which 'analytics' has", "did you mean url?"]),
        (["analytics: sqlite url="], ["gives 'analytics' an empty url"]),
        (["analytics: url=*a* schema=none schema=none"], ["gives 'analytics' schema twice"]),
        (["analytics: url=*a* schema=alembic"], ["the schema 'alembic', which 'analytics' has", "schema=alembic:PATH"]),
        (["analytics: sqlite"], ["nothing says which engines", "url=*/analytics*", "url_env=ANALYTICS_URL"]),
        (["analytics: oracle url=*a*"], ["'oracle' is no database harness knows"]),
        (["analytics: postgresql://h/live url=*a*"], ["'live' does not look like a test database"]),
        (["default: postgres url=*a*"], ["gives 'default' a database", "use harness_database for it"]),
        (["default: url=*a* metadata=shop.models:Base"], ["gives 'default' metadata", "use harness_metadata"]),
        (["default: url=*a* image=postgres:15"], ["gives 'default' image", "use harness_image for it"]),
        (["default:"], ["the line of 'default' says nothing", "leave the line out"]),
        (
            ["reading: replica_of=primary url=*read*"],
            ["'reading' is a replica of 'primary', which is no database", "name the primary: replica_of=default"],
        ),
        (
            ["reading: replica_of=default url=*read*", "third: replica_of=reading url=*third*"],
            ["'third' is a replica of 'reading', which is a replica itself"],
        ),
        (["reading: sqlite replica_of=default url=*read*"], ["the replica 'reading' has a database of its own"]),
        (["reading: replica_of=default"], ["nothing says which engines of the application are of database 'reading'"]),
        (
            ["analytics: sqlite:///one_test.db url=*a*", "reporting: sqlite:///one_test.db url=*r*"],
            ["'analytics' and 'reporting' are the same database", "one_test.db"],
        ),
    ],
)
def test_what_cannot_be_used_is_refused_before_any_test(
    project: Project, lines: list[str], fragments: list[str]
) -> None:
    """With the database's name, what is wrong, and what to write."""
    project.app().write(test_it="def test_it():\n    raise AssertionError('a test ran')\n")
    project.ini("harness_databases =", *(f"    {line}" for line in lines))

    project.run().assert_usage_error("harness: ", "fix", *fragments)


def test_a_url_cannot_be_two_databases(project: Project) -> None:
    """A database that says nothing itself is of the kind of `harness_database`, which is one database here."""
    project.app().ini("harness_databases = analytics: url=*analytics*", "harness_database = sqlite:///one_test.db")
    project.write(test_it="def test_it(): pass")

    project.run().assert_usage_error("nothing says which database 'analytics' shall be", "name one behind the colon")


def test_a_suite_on_two_databases_has_an_application_with_one(project: Project) -> None:
    """Which of them a further database would be beside is not clear."""
    project.app().ini(f"harness_databases = {ANALYTICS}").write(test_it="def test_it(): pass")

    project.run("--harness-database=sqlite", "--harness-database=postgres").assert_usage_error(
        "harness_databases declares further databases, and harness_database names several",
        "pytest.ini and --harness-database",
        "name one database with harness_database",
    )
