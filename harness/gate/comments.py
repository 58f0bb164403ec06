"""Comments `# harness: allow[H301] reason` in a file of the user's code, and the lines for which each of them holds.

A comment holds for the statement at whose lines it stands, or directly above which it stands; or, at the `def` or a
decorator of a function or directly above them, for the whole function.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

_FORM = re.compile(r"#\s*harness:\s*(?P<verb>[A-Za-z]+)(?P<rest>.*)", re.IGNORECASE)
_CODES = re.compile(r"\s*\[(?P<codes>[^\]]*)\]")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment to harness.

    Attributes:
        line: where it stands.
        codes: the codes or prefixes that it names.
        alone: whether it has the line for itself.
        wrong: what is wrong with its form; empty if nothing is.
    """

    line: int
    codes: tuple[str, ...]
    alone: bool
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """The comments of one file; `beside` are lines that hold nothing but a comment, of whatever kind."""

    comments: tuple[Comment, ...] = ()
    beside: frozenset[int] = frozenset()
    tree: ast.Module = field(default_factory=lambda: ast.Module([], []))

    def holding(self, line: int) -> Iterator[Comment]:
        """Yield the comments that hold for a line."""
        if not self.comments:
            return
        own, alone = self._reach(line)
        for comment in self.comments:
            if comment.line in (alone if comment.alone else own):
                yield comment

    def function_at(self, line: int) -> str:
        """Return the qualified name of the function around a line, or directly below it; empty if there is none."""
        while line in self.beside:
            line += 1
        names: list[str] = []
        body: list[ast.stmt] = self.tree.body
        while found := next((node for node in _named(body) if _first(node) <= line <= (node.end_lineno or 0)), None):
            names.append(found.name)
            body = found.body
        return ".".join(names)

    def _reach(self, line: int) -> tuple[set[int], set[int]]:
        """Return the lines at which a comment beside code holds for a line, and those at which one alone does."""
        own, alone = {line}, set(self._above(line))
        innermost: ast.stmt | None = None
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.stmt) or not _first(node) <= line <= (node.end_lineno or 0):
                continue
            if isinstance(node, _Function):
                own.update(_head(node))
                alone.update(self._above(_first(node)), range(_first(node), node.lineno))
            elif innermost is None or node.lineno >= innermost.lineno:
                innermost = node
        if innermost is not None and not isinstance(innermost, ast.ClassDef) and line in _head(innermost):
            own.update(_head(innermost))
            alone.update(self._above(innermost.lineno))
            if not hasattr(innermost, "body"):
                alone.update(_head(innermost))
        return own, alone

    def _above(self, line: int) -> Iterator[int]:
        while (line := line - 1) in self.beside:
            yield line


def read(text: str) -> Source:
    """Return the comments to harness in the text of a module; none if it is not Python.

    Strings are not searched: only what Python itself takes for a comment counts.
    """
    if "harness:" not in text.lower():
        return Source()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the user has been warned of them when the module was imported
            tree = ast.parse(text)
        tokens = [
            token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT
        ]
    except (SyntaxError, ValueError, tokenize.TokenError):
        return Source()  # what runs is Python; this is a template from which something else was made
    beside = frozenset(token.start[0] for token in tokens if not token.line[: token.start[1]].strip())
    comments = (_comment(token.string, token.start[0], token.start[0] in beside) for token in tokens)
    return Source(tuple(comment for comment in comments if comment is not None), beside, tree)


def _comment(text: str, line: int, alone: bool) -> Comment | None:
    form = _FORM.search(text)
    if form is None:
        return None
    codes = _CODES.match(form["rest"])
    names = tuple(re.split(r"[,\s]+", codes["codes"].strip())) if codes and codes["codes"].strip() else ()
    if form["verb"].lower() != "allow":
        # Other sentences that begin like this may be meant for somebody else, unless they speak of codes.
        meant = any(re.fullmatch(r"H\d*", name) for name in names)
        return Comment(line, (), alone, f"does not know {form['verb']!r}") if meant else None
    if codes is None:
        return Comment(line, (), alone, "is not closed by ]" if "[" in form["rest"][:2] else "names no rule")
    return Comment(line, tuple(filter(None, names)), alone, "" if any(names) else "names no rule")


def _named(body: list[ast.stmt]) -> Iterator[_Function | ast.ClassDef]:
    """Yield the functions and classes that are declared in a body, also below an `if` or `try`."""
    for node in body:
        if isinstance(node, _Function | ast.ClassDef):
            yield node
        else:
            inner = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
            handlers = [child.body for child in ast.iter_child_nodes(node) if isinstance(child, ast.ExceptHandler)]
            yield from _named([*inner, *(child for handler in handlers for child in handler)])


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min((node.lineno, *(decorator.lineno for decorator in decorators)))


def _head(node: ast.stmt) -> range:
    """Return the lines of a statement, or those before the body of one that has a body."""
    body = getattr(node, "body", None)
    if body:
        last = max(node.lineno, _first(body[0]) - 1)
    else:
        last = (node.subject if isinstance(node, ast.Match) else node).end_lineno or node.lineno
    return range(_first(node), last + 1)
