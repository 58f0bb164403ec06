"""GitHub's workflow commands."""

from __future__ import annotations

from pathlib import Path

from harness.report.github import commands
from tests.unit.report.made import record, results


def test_a_finding_becomes_an_annotation_of_its_line() -> None:
    """With everything needed to mend it."""
    (command,) = commands(results(record()))

    assert command.startswith(
        "::error file=app/items.py,line=18,title=H201 write never committed::POST /items answered"
    )
    assert "%0Afix: commit before the response: db.commit()" in command
    assert command.endswith("%0Arequest: POST /items → 201%0Atest: tests/test_items.py::test_create")


def test_nothing_in_a_text_can_end_the_command_or_begin_another() -> None:
    """Percent signs, line ends, and what separates properties."""
    hostile = record(message="50%\r\n::set-output name=x::y", at="a,b:c.py:3 f", tests=("t.py::x\n::error::",))
    (command,) = commands(results(hostile))

    assert command.startswith("::error file=a%2Cb%3Ac.py,line=3,title=")
    assert "50%25\\x0d%0A::set-output" in command
    assert 1 == len(command.splitlines())


def test_ten_of_a_kind_are_sent_and_the_others_counted() -> None:
    """GitHub drops the eleventh without a word."""
    errors = [record(at=f"a.py:{number + 1} f") for number in range(12)]
    warnings = [record("H502", at=f"b.py:{number + 1} f") for number in range(11)]
    sent = commands(results(*warnings, *errors))

    assert ["::error"] * 10 + ["::warning"] * 10 + ["::notice"] == [command.split(" ")[0] for command in sent]
    assert sent[-1].endswith("::2 errors and 1 warning more: GitHub shows 10 of each, the log has them all")


def test_accepted_ones_and_infos_are_not_annotated() -> None:
    """They stop nobody."""
    assert [] == commands(results(record(suppressed="baseline"), record("H305")))


def test_paths_are_the_repository_s(tmp_path: Path) -> None:
    """Also where the project is a folder of it; one outside of the project is not told as a file."""
    (tmp_path / ".git").mkdir()
    root = tmp_path / "services" / "shop"
    root.mkdir(parents=True)
    outside, inside = commands(results(record(), record(at="/elsewhere/lib.py:3 f", tests=()), root=str(root)))

    assert "::error file=services/shop/app/items.py,line=18," in inside
    assert outside.startswith("::error title=")


def test_without_a_line_the_evidence_or_the_test_is_annotated() -> None:
    """So that it is seen in the pull request at all."""
    by_test, by_evidence = (
        record(at=None),
        record("H502", at=None, evidence=(("SELECT", "app/db.py:4 get_db"),)),
    )

    assert ["file=tests/test_items.py,line=1", "file=app/db.py,line=4"] == [
        command.split(" ", 1)[1].split(",title")[0] for command in commands(results(by_test, by_evidence))
    ]
