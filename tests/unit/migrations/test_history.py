"""What is read from the files of revisions, without a database."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import MigrationError
from harness.migrations.history import History, Revision
from harness.schema.environment import load_config

pytest.importorskip("alembic")


def history(directory: Path, *revisions: tuple[str, str, object]) -> History:
    """The history of revisions: id, message, what each follows."""
    (directory / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/scripts\n")
    versions = directory / "scripts/versions"
    versions.mkdir(parents=True)
    (directory / "scripts/env.py").touch()
    for name, message, after in revisions:
        text = f'"""{message}"""\nrevision = {name!r}\ndown_revision = {after!r}\n'
        (versions / f"{name}.py").write_text(text)
    return History(load_config(directory / "alembic.ini", None))


@pytest.mark.parametrize(
    ("message", "label"),
    [
        ("Add users.", "1a_add_users"),
        ("empty message", "1a"),
        ("", "1a"),
        ("1a: the id is in it", "1a"),
        ('Größe: naïve, "quoted" & more', "1a_gr_e_na_ve_quoted_more"),
        ("a " * 60, "1a_" + "_".join("a" * 20)),
        ("x" * 60, "1a_" + "x" * 40),
    ],
)
def test_a_label_is_short_and_plain(message: str, label: str) -> None:
    """It is part of a test's id, and is cut between words where it can be."""
    assert label == Revision(id="1a", message=message, before=(), follows=(), path=Path("1a.py")).label


def test_revisions_come_oldest_first(tmp_path: Path) -> None:
    """Whatever their files are called; a merge follows both of its sides."""
    found = history(tmp_path, ("z1", "first", None), ("b2", "", "z1"), ("a2", "", "z1"), ("m3", "", ("a2", "b2")))

    assert ["z1", "m3"] == [found.revisions[0].id, found.revisions[-1].id]
    assert ("m3",) == found.heads
    assert {"a2", "b2"} == set(found["m3"].before)
    assert {"z1", "a2", "b2", "m3"} == found.ancestors("m3")
    assert {"z1", "a2"} == found.ancestors("a2")


def test_an_id_can_be_shortened_as_long_as_it_is_one(tmp_path: Path) -> None:
    """Two that begin alike are not told apart by their beginning."""
    found = history(tmp_path, ("abc1", "", None), ("abd2", "", "abc1"))

    assert "abc1" == found["abc"].id
    with pytest.raises(MigrationError, match="there is no revision 'ab' among the migrations"):
        found["ab"]
    with pytest.raises(MigrationError, match="there is no revision ''"):
        found[""]


def test_a_long_history_is_not_listed_whole(tmp_path: Path) -> None:
    """The first and the last are."""
    names = [f"r{number:02}" for number in range(20)]
    found = history(tmp_path, *((name, "", after) for name, after in zip(names, [None, *names], strict=False)))

    assert "… 14 more …" in str(found.unknown("zz"))
    assert "r00" in str(found.unknown("zz"))
    assert "r19" in str(found.unknown("zz"))


def test_reading_leaves_the_path_alone(tmp_path: Path) -> None:
    """`prepend_sys_path` is Alembic's."""
    import sys

    before = list(sys.path)
    (tmp_path / "alembic.ini").write_text("")
    history(tmp_path, ("a1", "", None))

    assert before == sys.path
