"""Acting when a module arrives, without importing it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

from harness.run.arrival import on_arrival


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that can be imported and has not been."""
    name = f"arriving_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_a_module_that_is_there_already_acts_at_once() -> None:
    """There is nothing to wait for."""
    calls: list[int] = []
    with on_arrival("sys", lambda: calls.append(1)):
        assert [1] == calls


def test_a_module_that_arrives_later_acts_once_after_it_is_complete(module: str) -> None:
    """Its names exist by then, and its loader is its own."""
    seen: list[int] = []
    with on_arrival(module, lambda: seen.append(sys.modules[module].value)):
        assert [] == seen
        imported = importlib.import_module(module)
        importlib.import_module(module)

    assert [1] == seen
    assert type(imported.__loader__).__module__ != "harness.run.arrival"
    assert imported.__spec__ is not None
    assert imported.__spec__.loader is imported.__loader__


def test_a_module_that_never_arrives_leaves_no_trace(module: str) -> None:
    """The import system is as before, and nothing happens afterwards."""
    before = list(sys.meta_path)
    calls: list[int] = []
    with on_arrival(module, lambda: calls.append(1)):
        assert len(sys.meta_path) == len(before) + 1
    importlib.import_module(module)

    assert before == sys.meta_path
    assert [] == calls


def test_two_may_wait_for_the_same_module(module: str) -> None:
    """Both act."""
    calls: list[str] = []
    with on_arrival(module, lambda: calls.append("a")), on_arrival(module, lambda: calls.append("b")):
        importlib.import_module(module)

    assert ["a", "b"] == sorted(calls)


def test_looking_for_a_module_is_not_its_arrival(module: str) -> None:
    """`find_spec` asks whether it could be imported; only the import acts."""
    calls: list[int] = []
    with on_arrival(module, lambda: calls.append(1)):
        assert importlib.util.find_spec(module) is not None
        assert [] == calls
        importlib.import_module(module)

    assert [1] == calls


def test_an_import_that_fails_acts_on_the_next_one(module: str, tmp_path: Path) -> None:
    """A failed attempt is no arrival."""
    (tmp_path / f"{module}.py").write_text("raise ValueError\n")
    calls: list[int] = []
    with on_arrival(module, lambda: calls.append(1)):
        with pytest.raises(ValueError):  # noqa: PT011 - it has no message
            importlib.import_module(module)
        assert [] == calls
        (tmp_path / f"{module}.py").write_text("value = 22\n")
        importlib.invalidate_caches()
        importlib.import_module(module)

    assert [1] == calls


def test_a_module_that_does_not_exist_is_still_an_import_error() -> None:
    """Nothing is invented."""
    with on_arrival("no_such_module_at_all", lambda: None), pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_module_at_all")
