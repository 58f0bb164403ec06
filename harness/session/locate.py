"""Which dependency is ``get_db``? The one the user names, or those whose types say that they give a session.

What is found is a place to override: an application, and the callable to put into its ``dependency_overrides``. Where a
dependency merely passes on what another one gave it, only the inner one is reported, because overriding that one leaves
the rest of the application as it is in production.

Three kinds of evidence are heard. What the body provably yields is believed first, then what the dependency declares to
return, then what its consumers declare to receive. A declaration of something else than a session outweighs consumers.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.errors import DependencyError
from harness.session.annotations import hints
from harness.session.body import of_body, of_call
from harness.session.callables import behind, is_placeholder, module_of, name_of
from harness.session.evidence import Kind, Provision, of_annotation, of_class, of_object, says_nothing
from harness.session.reference import Origin, near, resolve
from harness.session.routes import Use, iter_uses

if TYPE_CHECKING:
    from fastapi import FastAPI

_ORIGIN = Origin(option="harness_get_db", example="shop.db:get_session", error=DependencyError)
_Key: TypeAlias = tuple[int, Callable[..., Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDependency:
    """A dependency that gives a session, and the application on which to override it.

    Args:
        app: the application, or mounted sub-application, whose ``dependency_overrides`` reach it.
        call: the key to override.
        name: ``module:qualname``, a name for ``harness_get_db`` where there is one.
        kind: what it gives.
        session_class: the class of the session, as far as it is known: the most precise one anybody declares.
        evidence: why it is taken for one, most convincing first.
        routes: where it is used.
        placeholder: whether its body is empty, so that it does nothing unless overridden.
    """

    app: FastAPI
    call: Callable[..., Any]
    name: str
    kind: Kind
    session_class: type[Any] | None
    evidence: tuple[str, ...]
    routes: tuple[str, ...]
    placeholder: bool


def find_session_dependencies(app: object) -> tuple[SessionDependency, ...]:
    """Return the dependencies of an application, and of those mounted in it, that give SQLAlchemy sessions."""
    dossiers = _dossiers(app)
    suspects = {key: verdict for key, dossier in dossiers.items() if (verdict := _judge(dossier))}
    leaves = [key for key in suspects if not any(inner in suspects for inner in dossiers[key].inner)]
    return tuple(_told(dossiers[key], suspects[key]) for key in leaves)


def named_dependencies(app: object, names: Sequence[str]) -> tuple[SessionDependency, ...]:
    """Return the dependencies that the user names as ``pkg.module:name``, wherever they are used.

    An alias such as ``SessionDep = Annotated[Session, Depends(get_session)]`` names its dependency.

    Raises:
        DependencyError: when a name leads nowhere, or to something that the application does not depend on.
    """
    calls = [(name, _named_call(name)) for name in names]
    dossiers = _dossiers(app)
    found: list[SessionDependency] = []
    for name, call in calls:
        used = [dossier for dossier in dossiers.values() if dossier.call == call]
        if not used:
            raise _unused(name, find_session_dependencies(app), [dossier.call for dossier in dossiers.values()])
        found.extend(_told(dossier, _judge(dossier) or _assumed(call)) for dossier in used)
    return tuple(found)


@dataclass(slots=True, kw_only=True)
class _Dossier:
    """All that is known about one dependency of one application."""

    app: Any
    call: Callable[..., Any]
    uses: list[Use] = field(default_factory=list)
    inner: set[_Key] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    provision: Provision
    evidence: tuple[str, ...]


def _dossiers(app: object) -> dict[_Key, _Dossier]:
    """Gather the uses of each dependency. Calls are compared by equality, as FastAPI compares them."""
    found: dict[_Key, _Dossier] = {}
    for use in (use for outermost in iter_uses(app) for use in outermost.all()):
        dossier = found.setdefault(_key(use), _Dossier(app=use.owner, call=use.call))
        dossier.uses.append(use)
        dossier.inner.update(_key(inner) for one in use.inner for inner in one.all())
    return found


def _key(use: Use) -> _Key:
    return id(use.owner), use.call


def _judge(dossier: _Dossier) -> _Verdict | None:
    """Weigh the evidence; None when it is not about a session."""
    own = _own_evidence(dossier.call)
    if own is None:
        return None
    heard = [*own, *_consumers_evidence(dossier.uses)]
    if not heard:
        return None
    kind = heard[0][0].kind
    classes = [provision.session_class for provision, _ in heard if provision.kind is kind and provision.session_class]
    provision = Provision(kind=kind, session_class=_most_precise(classes))
    return _Verdict(provision=provision, evidence=tuple(dict.fromkeys(text for _, text in heard)))


_Heard: TypeAlias = tuple[Provision, str]


def _own_evidence(call: Callable[..., Any]) -> list[_Heard] | None:
    """Return what the dependency says about itself; None when it declares to be something else."""
    if isinstance(call, type):
        found = of_class(call)
        return [(found, f"is the class {call.__name__}")] if found else None
    if of_object(call):
        made = of_call(call)
        return [(made, f"is a {type(call).__name__}")] if made else None
    declared = hints(call).get("return", inspect.Parameter.empty)
    returned = of_annotation(declared)
    if returned is None and not says_nothing(declared):
        return None
    given = of_body(call)
    heard = [(given, f"its body gives {_described(given)}")] if given else []
    return heard + ([(returned, f"returns {_described(returned)}")] if returned else [])


def _consumers_evidence(uses: Iterable[Use]) -> list[_Heard]:
    """Return what consumers declare to receive, one consumer for each sort of declaration."""
    heard: dict[Provision, str] = {}
    for use in uses:
        if use.parameter is None or use.consumer is None:
            continue
        received = of_annotation(hints(use.consumer).get(use.parameter))
        if received:
            consumer = name_of(use.consumer)
            heard.setdefault(received, f"{consumer} receives it as {use.parameter}: {_described(received)}")
    return list(heard.items())


def _described(provision: Provision) -> str:
    name = provision.session_class.__name__ if provision.session_class else "unknown class"
    return name if provision.made() is None else f"a {provision.kind.value} ({name})"


def _most_precise(classes: Sequence[type[Any]]) -> type[Any] | None:
    best = classes[0] if classes else None
    for candidate in classes[1:]:
        if best is not None and issubclass(candidate, best):
            best = candidate
    return best


def _told(dossier: _Dossier, verdict: _Verdict) -> SessionDependency:
    consumers = [module_of(use.consumer) for use in dossier.uses if use.consumer is not None]
    return SessionDependency(
        app=dossier.app,
        call=dossier.call,
        name=name_of(dossier.call, dict.fromkeys(consumers)),
        kind=verdict.provision.kind,
        session_class=verdict.provision.session_class,
        evidence=verdict.evidence,
        routes=tuple(dict.fromkeys(use.route for use in dossier.uses)),
        placeholder=is_placeholder(dossier.call),
    )


def _assumed(call: Callable[..., Any]) -> _Verdict:
    """The user says that it gives a session, and nothing else does: whether it is asynchronous shows in its ``def``."""
    found = behind(call)
    function = found.function if found else None
    is_async = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    return _Verdict(
        provision=Provision(kind=Kind.ASYNC_SESSION if is_async else Kind.SYNC_SESSION),
        evidence=(f"named in harness_get_db; taken for {'asynchronous' if is_async else 'synchronous'} by its def",),
    )


def _named_call(name: str) -> Callable[..., Any]:
    found = resolve(name, _ORIGIN)
    if typing.get_origin(found) is typing.Annotated:
        inner = [getattr(extra, "dependency", None) for extra in found.__metadata__]
        found = next(filter(None, inner), found.__origin__)
    if not callable(found):
        raise _not_callable(name, found)
    call: Callable[..., Any] = found
    return call


def _not_callable(name: str, found: object) -> DependencyError:
    return DependencyError(
        f"{name!r} is not a dependency; it is of type {type(found).__module__}.{type(found).__qualname__}",
        where=_ORIGIN.where(name),
        why="a dependency is a function or another callable, the one that stands in Depends(...)",
        remedy=f"name that callable, for instance {_ORIGIN.example!r}",
    )


def _unused(
    name: str, candidates: Sequence[SessionDependency], dependencies: Iterable[Callable[..., Any]]
) -> DependencyError:
    listed = [f"{one.name}  ({one.evidence[0]}; used by {one.routes[0]})" for one in candidates]
    matches = [] if listed else near(name, map(name_of, dependencies))
    remedies = ["name one of the dependencies that give a session:", *(f"  {line}" for line in listed)]
    if not listed:
        remedies = [f"did you mean {' or '.join(map(repr, matches))}?"] if matches else []
        remedies.append(
            "no dependency of the application gives a session: pass one with Depends(...), or remove the name"
        )
    return DependencyError(
        f"{name!r} is not used by any route of the application",
        where=_ORIGIN.where(name),
        why="FastAPI replaces a dependency only where it stands in Depends(...), in a route or in another dependency",
        remedy="\n".join(remedies),
    )
