"""From SQLAlchemy's types to the plain names that rules know."""

from __future__ import annotations

import types
import typing
from typing import Any

from harness.graph.facts import Sort
from harness.session.evidence import Kind, Provision, of_annotation

_SORTS = {
    Kind.SYNC_SESSION: Sort.SESSION,
    Kind.ASYNC_SESSION: Sort.ASYNC_SESSION,
    Kind.SYNC_CONNECTION: Sort.CONNECTION,
    Kind.ASYNC_CONNECTION: Sort.ASYNC_CONNECTION,
    Kind.SYNC_FACTORY: Sort.FACTORY,
    Kind.ASYNC_FACTORY: Sort.ASYNC_FACTORY,
}


def sort_of(provision: Provision) -> Sort:
    """Return what it is called."""
    return _SORTS[provision.kind]


def declared(annotation: Any) -> Provision | None:
    """Tell what an annotation declares; None where it leaves a choice, such as `Session | AsyncSession`."""
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [of_annotation(one) for one in typing.get_args(annotation) if one is not type(None)]
        if len({one and one.kind for one in members}) != 1:
            return None
    return of_annotation(annotation)
