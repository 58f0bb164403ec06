"""HTML that cannot be broken by what it shows: text is escaped unless it was made here.

Names of tests, statements and routes are anybody's text. What `element` returns is `Html`; every other string becomes
text, whatever it holds.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

from harness.report.markup import clean

Attribute = str | int | float | bool | None

_VOID = frozenset({"input", "br", "meta"})


class Html(str):
    """Markup. Only this module and the page's own files make it."""

    __slots__ = ()


def text(content: str) -> Html:
    """Return some text as markup."""
    return Html(escape(clean(content), quote=True))


def element(name: str, *children: str | None, **attributes: Attribute) -> Html:
    """Return an element.

    Args:
        name: the tag.
        children: markup, or text, which is escaped; None is left out.
        attributes: `class_` is `class`, `data_at` is `data-at`; None and False are left out, True has no value.
    """
    told = "".join(
        _attribute(key, value) for key, value in attributes.items() if value is not None and value is not False
    )
    if name in _VOID:
        return Html(f"<{name}{told}>")
    return Html(f"<{name}{told}>{joined(*children)}</{name}>")


def joined(*children: str | None) -> Html:
    """Return markup and text, one after the other."""
    return Html("".join(child if isinstance(child, Html) else text(child) for child in children if child is not None))


def data(value: Any) -> Html:
    """Return JSON that can stand in a script element: it holds neither a tag nor what ends a line in JavaScript."""
    told = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return Html(told.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _attribute(key: str, value: Attribute) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(str(value))}"'
