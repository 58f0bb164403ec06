"""Source as syntax trees."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import FunctionType, ModuleType

from harness.graph.source import assignment, function_node


def module(path: Path, source: str) -> ModuleType:
    """A module of the user's."""
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def function(owner: ModuleType, name: str = "get_db") -> FunctionType:
    """A function of a module."""
    found = getattr(owner, name)
    assert isinstance(found, FunctionType)
    return found


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    """Below decorators, too."""
    shop = module(tmp_path / "shop.py", "def same(f):\n    return f\n\n@same\n@same\ndef get_db():\n    return 1\n")
    node = function_node(function(shop))

    assert node
    assert 6 == node.lineno


def test_a_function_whose_file_has_changed_is_not_read(tmp_path: Path) -> None:
    """Another function stands there now."""
    shop = module(tmp_path / "changed.py", "def get_db():\n    return 1\n")
    (tmp_path / "changed.py").write_text("def other():\n    return 1\n\ndef get_db():\n    return 2\n")

    assert function_node(function(shop)) is None


def test_two_lambdas_on_one_line_cannot_be_told_apart(tmp_path: Path) -> None:
    """One can."""
    shop = module(tmp_path / "lambdas.py", "one = lambda: 1\ntwo = (lambda: 2, lambda: 3)[0]\n")

    assert function_node(function(shop, "one"))
    assert function_node(function(shop, "two")) is None


def test_libraries_are_not_read() -> None:
    """They are not the user's to mend."""
    assert function_node(importlib.util.find_spec) is None  # type: ignore[arg-type]


def test_the_last_assignment_of_a_global_name_is_found(tmp_path: Path) -> None:
    """Also below a condition, but not within a function."""
    path = tmp_path / "names.py"
    module(path, "if 1:\n    engine = 1\nelse:\n    other: int = 2\ndef f():\n    engine = 3\n")

    statements = [assignment(str(path), name) for name in ("engine", "other", "missing")]
    assert [2, 4, None] == [statement and statement.lineno for statement in statements]
