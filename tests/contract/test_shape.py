"""How the source is written: small files, small functions, nothing swallowed, nothing about one machine."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import harness

ROOT = Path(harness.__file__).parent.parent
SOURCES = {str(path.relative_to(ROOT)): path.read_text() for path in sorted((ROOT / "harness").rglob("*.py"))}
Function = ast.FunctionDef | ast.AsyncFunctionDef

every_file = pytest.mark.parametrize("name", SOURCES)


def length(function: Function) -> int:
    """Lines of a function, without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def swallows(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler is `pass` alone."""
    return len(handler.body) == 1 and isinstance(handler.body[0], ast.Pass)


@every_file
def test_files_and_functions_are_small(name: str) -> None:
    """No file over 400 lines, no function over 60."""
    functions = [node for node in ast.walk(ast.parse(SOURCES[name])) if isinstance(node, Function)]

    assert len(SOURCES[name].splitlines()) <= 400
    assert [] == [f"{function.name}: {length(function)}" for function in functions if length(function) > 60]


@every_file
def test_no_error_is_swallowed_silently(name: str) -> None:
    """`contextlib.suppress` names what it suppresses; `except: pass` does not."""
    handlers = [node for node in ast.walk(ast.parse(SOURCES[name])) if isinstance(node, ast.ExceptHandler)]

    assert [] == [handler.lineno for handler in handlers if swallows(handler) or handler.type is None]


@every_file
def test_every_module_begins_alike(name: str) -> None:
    """With a docstring that says what it is for, and with postponed annotations."""
    tree = ast.parse(SOURCES[name])

    assert ast.get_docstring(tree) or not tree.body
    if len(tree.body) > 1:
        assert "from __future__ import annotations" in SOURCES[name]


@every_file
def test_nothing_depends_on_one_machine(name: str) -> None:
    """No path of somebody's home or checkout."""
    assert [] == re.findall(r"/(?:home|Users|root|work|opt)/\w+", SOURCES[name])


@every_file
def test_suppressions_carry_their_reason(name: str) -> None:
    """`type: ignore` and `noqa` name what they silence, and why."""
    lines = SOURCES[name].splitlines()
    bare = [line.strip() for line in lines if re.search(r"# type: ignore(?!\[)|# noqa(?!:)", line)]
    reasonless = re.compile(r"# (?:type: ignore\[[^\]]*\]|noqa: [A-Z0-9, ]+)\s*$")
    unreasoned = [line.strip() for line in lines if reasonless.search(line)]

    assert [] == bare + unreasoned


@every_file
def test_no_global_state_is_rebound(name: str) -> None:
    """`global` is for two places that say why: which test's code runs, and nothing else."""
    allowed = {"harness/isolation/flow.py": {"_test_code"}}
    names = {
        global_name
        for node in ast.walk(ast.parse(SOURCES[name]))
        if isinstance(node, ast.Global)
        for global_name in node.names
    }

    assert set() == names - allowed.get(name, set())


@every_file
def test_private_modules_of_pytest_are_not_imported(name: str) -> None:
    """Plugins that do break with the next release."""
    assert None is re.search(r"^\s*(?:from|import) _pytest\b", SOURCES[name], re.MULTILINE)
