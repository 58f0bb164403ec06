"""`harness_irreversible`: revisions without a way back."""

from __future__ import annotations

from tests.support.migrations import revision, shop
from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestIrreversible(OptionLaws):
    """The laws of every option."""

    name = "irreversible"
    first = "1a2b"
    second = "3c4d"


def test_its_downgrade_is_not_tried(project: Project) -> None:
    """The test of that revision is skipped and says why; those of the others run, also above it."""
    shop(project)
    revision(project, "c3", "b2", 'op.create_table("a", sa.Column("id", sa.Integer))', "raise NotImplementedError")
    revision(project, "d4", "c3", 'op.create_table("b", sa.Column("id", sa.Integer))', 'op.drop_table("b")')
    project.ini("harness_app = shop.main:app", "harness_irreversible = c3").write(
        test_it="from harness.migrations.tests import test_up_down_up\n"
    )
    (project.path / "test_migrations.py").unlink()
    result = project.run_apart("-rs")

    result.assert_passed(3)
    result.assert_says("1 skipped", "harness_irreversible names c3")


def test_a_revision_that_does_not_exist_is_told(project: Project) -> None:
    """With the option's source, and those that there are."""
    shop(project).ini("harness_app = shop.main:app")
    result = project.run_apart("--harness-irreversible=b3")

    assert 5 == result.errors, result.text
    result.assert_says(
        "harness_irreversible: there is no revision 'b3' among the migrations",
        "--harness-irreversible",
        "b2 (Shout)",
    )
