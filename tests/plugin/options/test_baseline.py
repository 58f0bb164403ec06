"""`harness_baseline`: the file of accepted findings; and `--harness-baseline-update`, which writes it."""

from __future__ import annotations

import json

from tests.support.kept_files import KeptFileLaws
from tests.support.projects import Project
from tests.support.rules import nothing_allowed


class TestBaseline(KeptFileLaws):
    """The laws of every file under version control."""

    name = "baseline"
    first = "accepted.json"
    second = "others.json"
    kind = "baseline file"
    empty = '{"schema": "harness-baseline/1", "findings": []}'
    command = "baseline-update"


def guilty(project: Project) -> Project:
    """A project whose only test meets H201, with a file that accepts nothing."""
    (project.path / "accepted.json").write_text(TestBaseline.empty)
    return (
        nothing_allowed(project.app())
        .ini("harness_app = shop.main:app", "harness_baseline = accepted.json")
        .write(
            test_it="""
            def test_forgetful(client):
                client.post("/forgetful/ann")
        """
        )
    )


def test_what_an_update_has_accepted_passes_and_what_is_new_fails(project: Project) -> None:
    """Also when lines have moved since."""
    guilty(project).run("--harness-baseline-update").assert_passed(1)
    (entry,) = json.loads((project.path / "accepted.json").read_text())["findings"]
    assert ("H201", "shop/main.py", "forget") == (entry["code"], entry["path"], entry["function"])

    main = project.path / "shop/main.py"
    main.write_text(f"# moved\n\n{main.read_text()}")
    project.run().assert_passed(1)

    main.write_text(main.read_text().replace("def forget(", "def forget_all("))
    result = project.run()
    assert 1 == result.failed + result.errors, result.text
    result.assert_says("H201")
