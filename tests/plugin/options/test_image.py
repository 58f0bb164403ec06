"""`harness_image`: the container image of the database server."""

from __future__ import annotations

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestImage(OptionLaws):
    """The laws of every option."""

    name = "image"
    first = "postgres:16"
    second = "postgres:15"


def test_an_image_for_a_database_that_needs_none_is_a_conflict(project: Project) -> None:
    """Said together on one command line, they contradict each other."""
    project.write(test_it="def test_it(): pass")
    result = project.run("--harness-image=postgres:16", "--harness-database=sqlite")

    result.assert_usage_error("--harness-image=postgres:16 has no use with --harness-database=sqlite", "leave out one")


def test_a_url_in_the_conflict_is_shown_without_its_secrets(project: Project) -> None:
    """The message names the kind of database only."""
    project.write(test_it="def test_it(): pass")
    result = project.run("--harness-image=postgres:16", "--harness-database=postgresql://ann:hunter2@h/app_test")

    result.assert_usage_error("--harness-image=postgres:16 has no use")
    assert "hunter2" not in result.text


@pytest.mark.parametrize(
    ("image", "databases", "fragments"),
    [
        (
            "postgres:16",
            "postgres,mariadb",
            ("the image postgres:16 could be that of postgres or mariadb", "postgres="),
        ),
        ("a, b", "postgres", ("the image a could be that of postgres", "harness_image = postgres=a, mariadb=b")),
        ("oracle=a", "postgres", ("does not know the server 'oracle'", "servers: postgres, mariadb, mysql")),
        ("mysql=", "mysql", ("'mysql=' names no image", "SERVER=IMAGE")),
        ("postgres=a, postgresql=b", "postgres", ("names two images of postgres: a and b", "leave out one")),
        ("mysql=a", "postgres", ("--harness-image=mysql=a has no use with --harness-database=postgres", "leave out")),
    ],
)
def test_each_image_belongs_to_one_server(
    project: Project, image: str, databases: str, fragments: tuple[str, ...]
) -> None:
    """What could be another's is refused, with what to write instead."""
    project.write(test_it="def test_it(): pass")
    result = project.run(f"--harness-image={image}", f"--harness-database={databases}")

    result.assert_usage_error(*fragments)


@pytest.mark.parametrize(
    ("image", "databases", "shown"),
    [
        ("postgres:9", "postgres", "container postgres:9"),
        ("postgres:9", "sqlite,postgres", "in memory, container postgres:9"),
        ("postgres=p, mariadb=m", "mariadb,postgres", "container m, container p"),
        ("mariadb=m,p", "mariadb,postgresql", "container m, container p"),
    ],
)
def test_images_of_several_servers(project: Project, image: str, databases: str, shown: str) -> None:
    """Each goes to its own."""
    project.write(test_it="def test_it(): pass")
    result = project.run(f"--harness-image={image}", f"--harness-database={databases}")

    result.assert_passed(1)
    assert f"database {shown} (" in result.header


def test_a_file_may_prepare_for_both(project: Project) -> None:
    """An image in the project's configuration does not forbid a run on SQLite."""
    project.ini("harness_image = postgres:16").write(test_it="def test_it(): pass")

    project.run("--harness-database=sqlite").assert_passed(1)
