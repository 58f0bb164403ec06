"""The user's source as syntax trees, with the line numbers of its files.

A whole module is parsed once, since an application has many functions in few files. A function is found again by the
line on which its code begins; where a file has changed since it was imported, nothing is found.
"""

from __future__ import annotations

import ast
import functools
import linecache
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING

from harness.callsite import is_users
from harness.session.callables import syntax

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.session.callables import FunctionNode

#: What has a body of its own.
NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def function_node(function: FunctionType) -> FunctionNode | None:
    """Return the syntax tree of a function of the user's; None if it is not the user's, or cannot be read."""
    code = function.__code__
    if not is_users(code.co_filename):
        return None
    module = _module(code.co_filename)
    if module is None:  # something in it cannot be parsed as it stands, which an import hook may have mended
        node = syntax(function)
        return node and ast.increment_lineno(node, code.co_firstlineno - 1)
    if code.co_name == "<lambda>":
        return _only_lambda(module.tree, code.co_firstlineno)
    return module.functions.get((code.co_firstlineno, code.co_name))


def assignment(path: str, name: str) -> ast.stmt | None:
    """Return the statement of a module of the user's that last binds a name at its top level by an assignment."""
    module = _module(path) if is_users(path) else None
    return module.assignments.get(name) if module else None


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a function's own nodes in the order of its source, without those of functions and classes within it."""
    waiting = _children(node)
    while waiting:
        found = waiting.pop()
        yield found
        if not isinstance(found, NESTED):
            waiting.extend(_children(found))


def _children(node: ast.AST) -> list[ast.AST]:
    """Return a node's children, last first; without those that only say whether a name is read or written."""
    found: list[ast.AST] = []
    for name in reversed(node._fields):
        value = getattr(node, name, None)
        if type(value) is list:
            found.extend(one for one in reversed(value) if isinstance(one, ast.AST))
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            found.append(value)
    return found


@dataclass(frozen=True, slots=True)
class _Module:
    tree: ast.Module
    functions: dict[tuple[int, str], FunctionNode]
    assignments: dict[str, ast.stmt]


@functools.lru_cache(maxsize=1024)
def _module(path: str) -> _Module | None:
    text = "".join(linecache.getlines(path))
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    functions: dict[tuple[int, str], FunctionNode] = {}
    for statement in _statements(tree):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min((decorator.lineno for decorator in statement.decorator_list), default=statement.lineno)
            functions[first, statement.name] = statement
    return _Module(tree, functions, dict(_bindings(tree)))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every statement; expressions, most of a tree, are not looked into."""
    for block in _BLOCKS:
        for statement in getattr(node, block, ()):
            yield statement
            yield from _statements(statement)


def _bindings(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for statement in _top_level(tree):
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign) and statement.value:
            targets = [statement.target]
        else:
            continue
        for target in targets:
            for name in ast.walk(target):
                if isinstance(name, ast.Name):
                    yield name.id, statement


def _top_level(node: ast.AST) -> Iterator[ast.AST]:
    for block in _BLOCKS:
        for statement in getattr(node, block, ()):
            yield statement
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _top_level(statement)


def _only_lambda(tree: ast.Module, line: int) -> ast.Lambda | None:
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda) and node.lineno == line]
    return found[0] if len(found) == 1 else None
