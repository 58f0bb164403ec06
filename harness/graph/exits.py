"""What a generator commits after its `yield`: in the way out of success, of failure, or of both.

FastAPI resumes the generator after the endpoint; when the endpoint raised, it throws the exception in at the `yield`.
So code that follows the `yield` runs after success only, `finally` runs after both, and the block of a context manager
around the `yield` ends with what that context manager does. Helpers are followed two calls deep.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.engine import Engine

from harness.ext_asyncio import AsyncEngine
from harness.graph.facts import ExitCommit
from harness.graph.scope import UNKNOWN, Scope, attribute, scope_of
from harness.graph.source import NESTED, own_nodes

if TYPE_CHECKING:
    from harness.callsite import CallSite

_DEPTH = 2
_UNDOING = frozenset({"rollback", "close", "expunge_all", "invalidate", "abort"})
_BROAD = frozenset({"Exception", "BaseException"})
_LOOPS = ast.For | ast.AsyncFor | ast.While
_WITH = ast.With | ast.AsyncWith
_TRY = ast.Try | ast.TryStar
_YIELD = ast.Yield | ast.YieldFrom


def commits_after_yield(scope: Scope) -> tuple[ExitCommit, ...]:
    """Return what a dependency commits after its `yield`; nothing if it is no generator."""
    return tuple(dict.fromkeys(_Exit(scope, 0).found())) if is_generator(scope) else ()


def is_generator(scope: Scope) -> bool:
    """Tell whether a function is a generator, synchronous or not."""
    return inspect.isgeneratorfunction(scope.function) or inspect.isasyncgenfunction(scope.function)


class _Exit:
    """One generator, or one `__exit__`, read from its `yield` on."""

    def __init__(self, scope: Scope, depth: int) -> None:
        self._scope = scope
        self._depth = depth
        self._yielding = _containers(scope.node)
        self._yielded = {ast.dump(one.value) for one in scope.nodes if isinstance(one, ast.Yield) and one.value}

    def found(self) -> Iterator[ExitCommit]:
        if not isinstance(self._scope.node, ast.Lambda):
            yield from self._block(self._scope.node.body)

    def _yields(self, node: ast.AST) -> bool:
        return id(node) in self._yielding

    def _block(self, statements: Iterable[ast.stmt]) -> Iterator[ExitCommit]:
        """Follow a block down to its yield, and from there to its end."""
        after = False
        for statement in statements:
            if self._yields(statement):
                yield from self._around(statement)
                after = True
            elif after:
                yield from self._run([statement], after_error=False)

    def _around(self, statement: ast.stmt) -> Iterator[ExitCommit]:
        """Follow one statement that contains the yield."""
        if isinstance(statement, _WITH):
            for item in statement.items:
                yield from self._leave(item.context_expr, statement)
            yield from self._block(statement.body)
        elif isinstance(statement, _TRY):
            yield from self._try(statement)
        elif isinstance(statement, ast.If | _LOOPS):
            if isinstance(statement, ast.For | ast.AsyncFor):
                yield from self._resume(statement.iter)
            yield from self._block(statement.body)
            yield from self._block(statement.orelse)
        elif isinstance(statement, ast.Match):
            for case in statement.cases:
                yield from self._block(case.body)
        else:
            for node in own_nodes(statement):
                if isinstance(node, ast.YieldFrom):
                    yield from self._resume(node.value)

    def _try(self, statement: ast.Try | ast.TryStar) -> Iterator[ExitCommit]:
        yield from self._block(statement.body)
        within = any(self._yields(one) for one in statement.body)
        if within:
            yield from self._run(statement.orelse, after_error=False)
        else:
            yield from self._block(statement.orelse)
        for handler in statement.handlers:
            yield from self._block(handler.body)
        undone = any(_is_broad(handler) and _undoes(handler) for handler in statement.handlers)
        yield from self._run(statement.finalbody, after_error=within and not undone)

    def _resume(self, iterated: ast.expr) -> Iterator[ExitCommit]:
        """Another generator is resumed with this one, when all went well."""
        scope = self._followed(iterated)
        if scope:
            for commit in _Exit(scope, self._depth + 1).found():
                yield ExitCommit(site=commit.site, block=commit.block, after_error=False)

    def _leave(self, context: ast.expr, statement: ast.AST, site: CallSite | None = None) -> Iterator[ExitCommit]:
        """Tell what a context manager commits when its block is left."""
        site = site or self._scope.site(statement)
        if isinstance(context, ast.Await):
            context = context.value
        if isinstance(context, ast.Name):
            made = self._scope.bindings(context.id)
            if len(made) == 1 and isinstance(made[0], ast.Call | ast.Await):
                yield from self._leave(made[0], statement, site)
            return
        if not isinstance(context, ast.Call):
            return
        if self._begins(context):
            yield ExitCommit(site=site, block=True, after_error=False)
            return
        callee = self._scope.callee(context)
        if isinstance(callee, type):
            yield from self._leave_instance(callee)
            return
        scope = self._followed(context)
        if scope is None:
            return
        if is_generator(scope):
            yield from _Exit(scope, self._depth + 1).found()
            return
        for node in scope.nodes:  # a function that returns a context manager
            if isinstance(node, ast.Return) and node.value:
                yield from _Exit(scope, self._depth + 1)._leave(node.value, node, site)

    def _leave_instance(self, cls: type) -> Iterator[ExitCommit]:
        """Tell what a context manager of the user's class commits when its block is left without an exception."""
        for name in ("__aexit__", "__exit__"):
            method = attribute(cls, name)
            scope = scope_of(method) if method is not UNKNOWN and self._depth < _DEPTH else None
            if scope and not isinstance(scope.node, ast.Lambda):
                for commit in _Exit(scope, self._depth + 1)._run(scope.node.body, after_error=False, own=cls):
                    yield ExitCommit(site=commit.site, block=commit.block, after_error=False)

    def _begins(self, call: ast.Call) -> bool:
        """Tell whether a call opens a transaction that commits when its block is left."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "begin":
            return False
        holder = call.func.value
        if self._scope.value(holder):
            return True
        found = self._scope.concrete(holder)
        return isinstance(found, Engine | AsyncEngine) or (found is UNKNOWN and ast.dump(holder) in self._yielded)

    def _run(
        self, statements: Iterable[ast.AST], *, after_error: bool, own: type | None = None
    ) -> Iterator[ExitCommit]:
        """Tell what statements commit that run after the yield."""
        for statement in statements:
            if isinstance(statement, ast.If):
                guard = self._guard(statement.test, exiting=own is not None)
                error = after_error and guard.blind
                yield from self._run(statement.body if guard.body else (), after_error=error, own=own)
                yield from self._run(statement.orelse if guard.orelse else (), after_error=error, own=own)
            elif isinstance(statement, _TRY):
                for block in (statement.body, statement.orelse, statement.finalbody):
                    yield from self._run(block, after_error=after_error, own=own)
            elif isinstance(statement, _WITH):
                for item in statement.items:
                    yield from self._leave(item.context_expr, statement)
                yield from self._run(statement.body, after_error=after_error, own=own)
            elif not isinstance(statement, NESTED):
                yield from self._expression(statement, after_error=after_error, own=own)

    def _expression(self, statement: ast.AST, *, after_error: bool, own: type | None) -> Iterator[ExitCommit]:
        for node in (statement, *own_nodes(statement)):
            if isinstance(node, ast.Attribute) and node.attr == "commit" and self._is_session(node.value, own):
                scope = self._own_method(node.value, own)
                if scope is None:
                    yield ExitCommit(site=self._scope.site(node), block=False, after_error=after_error)
                elif not isinstance(scope.node, ast.Lambda):
                    yield from _Exit(scope, self._depth + 1)._run(scope.node.body, after_error=after_error, own=own)
            elif isinstance(node, ast.Call) and self._passes_session(node):
                scope = self._followed(node)
                if scope and not is_generator(scope) and not isinstance(scope.node, ast.Lambda):
                    yield from _Exit(scope, self._depth + 1)._run(scope.node.body, after_error=after_error)

    def _is_session(self, node: ast.expr, own: type | None) -> bool:
        """Tell whether something with a commit is a session, or whatever else the dependency gave."""
        if self._scope.value(node):
            return True
        if self._scope.concrete(node) is not UNKNOWN:
            return False
        return ast.dump(node) in self._yielded or (own is not None and _root(node) == self._scope.parameters[:1])

    def _own_method(self, node: ast.expr, own: type | None) -> Scope | None:
        """Return the scope of the `commit` of the user's own class, for `self.commit()`."""
        if own is None or not isinstance(node, ast.Name) or self._depth >= _DEPTH:
            return None
        method = attribute(own, "commit")
        return scope_of(method) if method is not UNKNOWN else None

    def _passes_session(self, call: ast.Call) -> bool:
        return any(self._scope.value(argument) for argument in (*call.args, *(word.value for word in call.keywords)))

    def _followed(self, call: ast.expr) -> Scope | None:
        return self._scope.called(call) if self._depth < _DEPTH else None

    def _guard(self, test: ast.expr, *, exiting: bool) -> _Guard:
        """Tell how a condition turns out. What depends on an argument that is not known here is not believed."""
        negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        inner = test.operand if isinstance(test, ast.UnaryOp) and negated else test
        found = inner.value if isinstance(inner, ast.Constant) else self._scope.concrete(inner)
        if isinstance(found, bool | type(None)):
            return _Guard(body=bool(found) is not negated, orelse=bool(found) is negated)
        is_argument = isinstance(inner, ast.Name) and inner.id in self._scope.parameters
        if is_argument and not exiting and not self._scope.value(inner):
            return _Guard(body=False, orelse=False)
        names = [node for node in ast.walk(test) if isinstance(node, ast.Name)]
        return _Guard(blind=bool(names) and all(self._scope.value(name) for name in names))


@dataclass(frozen=True, slots=True)
class _Guard:
    """A condition around a commit: which of its branches may run, and whether it cannot tell success from failure.

    A condition that asks nobody but the session cannot: a session does not know that the endpoint raised.
    """

    body: bool = True
    orelse: bool = True
    blind: bool = False


def _containers(node: ast.AST) -> set[int]:
    """Return the identities of all nodes of a function that contain a yield of its own."""
    found: set[int] = set()

    def visit(inner: ast.AST) -> bool:
        within = isinstance(inner, _YIELD)
        for child in ast.iter_child_nodes(inner):
            if not isinstance(child, NESTED):
                within = visit(child) or within
        if within:
            found.add(id(inner))
        return within

    visit(node)
    return found


def _is_broad(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler sees every exception that an endpoint can raise."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or ast.unparse(kind).rpartition(".")[2] in _BROAD for kind in kinds)


def _undoes(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr in _UNDOING for node in ast.walk(handler))


def _root(node: ast.expr) -> list[str]:
    while isinstance(node, ast.Attribute):
        node = node.value
    return [node.id] if isinstance(node, ast.Name) else []
