"""`@pytest.mark.harness(allow=…, expect=…)`, and the other ways to accept a finding, as a user meets them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.projects import Project
from tests.support.rules import nothing_allowed

FORGETS = 'client.post("/forgetful/ann")'
ADDS = 'client.post("/users/ann")'


def shop(project: Project, *ini: str, marker: str = "", does: str = FORGETS) -> Project:
    """A project with one test, which does something under a marker."""
    decorator = f"@pytest.mark.harness({marker})" if marker else ""
    return (
        nothing_allowed(project.app())
        .ini("harness_app = shop.main:app", "harness_report = json:found.json", *ini)
        .write(test_it=f"import pytest\n\n{decorator}\ndef test_it(client):\n    {does}\n")
    )


def commented(project: Project, code: str, after: str) -> Project:
    """The shop, with a comment at the end of a line of its application."""
    main = project.path / "shop/main.py"
    main.write_text(main.read_text().replace(after, f"{after}  # harness: allow[{code}] by hand"))
    return project


def found(project: Project, code: str) -> list[dict[str, Any]]:
    """What the report says of a rule."""
    data = json.loads((project.path / "found.json").read_text())
    return [finding for finding in data["findings"] if finding["code"] == code]


def test_without_a_word_the_test_fails(project: Project) -> None:
    """So that what follows means something."""
    result = shop(project).run()

    assert (1, 1) == (result.code, result.failed), result.text
    result.assert_says("H201")
    assert [None] == [finding["suppressed"] for finding in found(project, "H201")]


@pytest.mark.parametrize("marker", ["allow=['H201']", "allow='H2'", "allow=['H301', 'H201']", "expect=['H201']"])
def test_a_marker_accepts(project: Project, marker: str) -> None:
    """By code or prefix, and what is expected."""
    shop(project, marker=marker).run().assert_passed(1)

    assert ["marker"] == [finding["suppressed"] for finding in found(project, "H201")]


@pytest.mark.parametrize("after", ["def forget(name: str, db: Session = Depends(get_db)) -> None:", "db.flush()"])
def test_a_comment_accepts(project: Project, after: str) -> None:
    """On the function; and on the line that the finding names, which is a matter of the rule."""
    commented(shop(project), "H201", after).run()

    (finding,) = found(project, "H201")
    line = (project.path / "shop/main.py").read_text().splitlines()[finding["location"]["line"] - 1]
    assert ("comment" if "def " in after or "allow" in line else None) == finding["suppressed"]


def test_a_pattern_accepts(project: Project) -> None:
    """By rule and path."""
    shop(project, "harness_allow = H201:shop/*").run().assert_passed(1)

    assert ["ini"] == [finding["suppressed"] for finding in found(project, "H201")]


def test_what_is_expected_and_not_found_fails_the_test(project: Project) -> None:
    """With what was found instead."""
    result = shop(project, marker="expect=['H301']", does=ADDS).run()

    assert (1, 1) == (result.code, result.failed), result.text
    result.assert_says("expected H301 (", ", and it was not found", "found no other finding")


@pytest.mark.parametrize(
    ("marker", "told"),
    [("allow=['H301']", True), ("allow=['H201', 'H301']", True), ("allow=['H201']", False), ("allow=['H403']", False)],
)
def test_an_allowance_that_the_test_did_not_need_is_told(project: Project, marker: str, told: bool) -> None:
    """As H901, unless the rule does not judge; a warning fails nothing unless it is asked to."""
    does = FORGETS if "H201" in marker else ADDS
    shop(project, marker=marker, does=does).run().assert_passed(1)

    assert told == bool(found(project, "H901"))


def test_an_unused_comment_and_an_unused_pattern_are_told_by_the_whole_suite_only(project: Project) -> None:
    """A part of it cannot know what the rest needs."""
    shop(project, "harness_allow = H201:old/*", does=ADDS)
    commented(project, "H201", "def names(db: Session = Depends(get_db)) -> list[str]:")

    project.run("test_it.py").assert_passed(1)
    assert [] == found(project, "H901")
    project.run().assert_passed(1)
    assert {"shop/main.py", None} == {(one["location"] or {"path": None})["path"] for one in found(project, "H901")}


def test_a_comment_that_names_no_rule_is_told(project: Project) -> None:
    """With file and line, near matches, and without failing a test for it."""
    result = commented(shop(project, does=ADDS), "H210", "def names(db: Session = Depends(get_db)) -> list[str]:").run()

    result.assert_passed(1)
    result.assert_says("does not know the rule 'H210'", "shop/main.py:", "did you mean H201")


@pytest.mark.parametrize(("does", "told"), [(ADDS, True), (FORGETS, False)])
def test_a_class_needs_its_marker_if_one_of_its_tests_does(project: Project, does: str, told: bool) -> None:
    """It is judged when all of them have run."""
    shop(project).write(
        test_it=f"""
            import pytest

            @pytest.mark.harness(allow=["H201"])
            class TestShop:
                def test_one(self, client):
                    {does}

                def test_other(self, client):
                    client.get("/users")
        """
    )

    project.run().assert_passed(2)
    assert told == bool(found(project, "H901"))
