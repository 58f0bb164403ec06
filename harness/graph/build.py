"""Read an application: its production dependency tree, and the source of its dependencies and endpoints.

`build` never raises for what an application contains. What cannot be read, because it is written in C, generated, or
has changed on disk, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from harness.callsite import CallSite, is_users, site_of
from harness.graph.calls import is_interesting, session_calls
from harness.graph.engines import Original, as_it_is, engines, factories, sources
from harness.graph.exits import commits_after_yield
from harness.graph.facts import AppGraph, Dependency, Endpoint, Function, Sort, Use
from harness.graph.made import cached_session, default_sessions, engines_made, parameter_site, shared_sessions
from harness.graph.objects import Objects
from harness.graph.provisions import Provisions
from harness.graph.reach import Reach
from harness.graph.scope import Scope, scope_of
from harness.graph.sorts import sort_of
from harness.graph.tree import Asking, Node, dotted, is_coroutine, read_tree
from harness.session.callables import behind
from harness.session.evidence import of_object

_T = TypeVar("_T")


def build(app: object, *, original: Original = as_it_is, overridden: Iterable[str] = ()) -> AppGraph:
    """Describe an application as it would run in production.

    Args:
        app: the application, perhaps behind middleware.
        original: tells what an engine was before a test run changed it.
        overridden: names of dependencies, as `module.function`, that tests replace; those that are replaced now are
            found without.
    """
    try:
        tree = read_tree(app)
    except Exception:  # noqa: BLE001 - a strange application is not described, and that is no reason to fail its tests
        return AppGraph(overridden=frozenset(overridden))
    reader = _Reader(original)
    return AppGraph(
        dependencies=tuple(_described(tree.dependencies.values(), reader.dependency)),
        endpoints=tuple(_described(tree.endpoints.values(), reader.endpoint)),
        overridden=frozenset(overridden) | tree.overridden,
    )


def _described(nodes: Iterable[Node], describe: Callable[[Node], _T | None]) -> Iterator[_T]:
    for node in nodes:
        try:
            described = describe(node)
        except Exception:  # noqa: BLE001 - proxies, metaclasses and annotations of the user's can raise anything
            continue
        if described is not None:
            yield described


class _Reader:
    """Describes one application; what it has found out about one function serves all routes."""

    def __init__(self, original: Original) -> None:
        self._original = original
        self._provisions = Provisions()
        self._reach = Reach()
        self._objects = Objects()

    def endpoint(self, node: Node) -> Endpoint | None:
        """Describe an endpoint; its source is read only where its code object gives a reason to."""
        site = _users_site(node.call)
        found = behind(node.call)
        if site is None or found is None:
            return None
        coroutine = is_coroutine(node.call)
        talking = coroutine and is_interesting(found.function.__code__)
        suspicious = self._reach.is_suspicious(found.function)
        scope = self._scope(node) if talking or suspicious else None
        reached = self._reach.scopes(scope) if scope and suspicious else []
        function = Function(
            name=dotted(node.call),
            site=site,
            coroutine=coroutine,
            calls=session_calls(scope) if scope and talking else (),
            shared=tuple(shared_sessions(reached, self._objects)),
            defaults=tuple(default_sessions(reached)),
            engines=tuple(engines_made(reached)),
        )
        return Endpoint(function=function, routes=tuple(node.routes))

    def dependency(self, node: Node) -> Dependency:
        """Describe a dependency."""
        call = node.call
        itself = None if isinstance(call, type) else of_object(call)
        given = self._provisions.given(call)
        scope = self._scope(node)
        reached = self._reach.scopes(scope) if scope else []
        used = list(sources(call, reached)) if given or itself else []
        return Dependency(
            name=dotted(call, (asking.consumer for asking in node.asked.values())),
            site=_users_site(call),
            gives=sort_of(given) if given else None,
            function=self._function(node, scope, reached) if scope else None,
            factory=itself is not None,
            cached=cached_session(call, scope) if scope else None,
            uses=tuple(self._use(asking, call, sort_of(given) if given else None) for asking in node.asked.values()),
            factories=tuple(dict.fromkeys(factories(used, self._objects))),
            engines=tuple(dict.fromkeys(engines(used, self._objects, self._original))),
            reads=tuple(one.site() for one in reached),
        )

    def _function(self, node: Node, scope: Scope, reached: list[Scope]) -> Function:
        coroutine = is_coroutine(node.call)
        return Function(
            name=dotted(node.call),
            site=scope.site(),
            coroutine=coroutine,
            calls=session_calls(scope) if coroutine else (),
            commits=commits_after_yield(scope),
            shared=tuple(shared_sessions(reached, self._objects)),
            defaults=tuple(default_sessions(reached)),
            engines=tuple(engines_made(reached)),
        )

    def _use(self, asking: Asking, call: object, given: Sort | None) -> Use:
        consumer, parameter = asking.consumer, asking.parameter
        provision = self._provisions.declared(consumer, parameter) if parameter and given else None
        declared = sort_of(provision) if provision else None
        site = _users_site(consumer)
        # The parameter's line is told where it is what to mend: looking for it costs reading the source.
        if parameter and site and (declared is not given or of_object(call)):
            scope = scope_of(consumer)
            site = parameter_site(scope, parameter) if scope else site
        return Use(
            consumer=dotted(consumer),
            parameter=parameter,
            declared=declared,
            site=site,
            scope=asking.scope,
            routes=tuple(asking.routes),
        )

    def _scope(self, node: Node) -> Scope | None:
        given = {name: self._provisions.given(call) for name, call in node.asks.items()}
        return scope_of(node.call, {name: one for name, one in given.items() if one})


def _users_site(call: object) -> CallSite | None:
    found = behind(call)
    code = found.function.__code__ if found else None
    return site_of(code) if code and is_users(code.co_filename) else None
