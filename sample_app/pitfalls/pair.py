"""What a pitfall's folder says about itself, so that a test can drive its two applications."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from fastapi import FastAPI

Side = Literal["wrong", "right"]
Variant = Literal["sync", "async"]
#: How a broken rule is met: by driving the blocking or the async routes, by reading the application's dependency tree
#: and source, or by reading them while tests override the dependency.
Meeting = Literal["sync", "async", "graph", "override"]

SYNC: tuple[Variant, ...] = ("sync",)
ASYNC: tuple[Variant, ...] = ("async",)
BOTH: tuple[Variant, ...] = ("sync", "async")

#: The status of a request whose client did not wait for the answer.
HUNG_UP = 499

_FOLDERS = Path(__file__).parent
_COMMENT = re.compile(r"# <- (.+)$")
_MARK = re.compile(r"(?P<code>H\d{3})(?: \((?P<met>async|graph|override)\))?")


@dataclass(frozen=True, slots=True)
class Step:
    """One request, and what a client is told.

    Attributes:
        path: the blocking route; its async twin has `/async` in front.
        wrong, right: the status that the pitfall answers, and that its corrected twin answers.
        delay: seconds to wait before it is sent, where the requests of a pair are sent together.
        patience: seconds after which an async client hangs up.
    """

    method: str
    path: str
    body: Any = None
    wrong: int = 200
    right: int = 200
    delay: float = 0.0
    patience: float | None = None

    def path_of(self, variant: Variant) -> str:
        """Return the path of the blocking or of the async route."""
        return self.path if variant == "sync" else f"/async{self.path}"

    def answer_of(self, side: Side) -> int:
        """Return the status that one of the two applications answers."""
        return self.wrong if side == "wrong" else self.right


@dataclass(frozen=True, slots=True)
class Mark:
    """A comment such as `# <- H201` or `# <- H201 (async)`: here the rule is broken."""

    code: str
    line: int
    met: Meeting


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A pitfall and its corrected twin: the applications `wrong.app` and `right.app` of one folder.

    Attributes:
        code: the rule that the wrong one breaks.
        package: the folder's module.
        variants: which kinds of route it has.
        steps: the requests that meet the pitfall; none if it can only be read.
        together: whether the requests are sent at the same time.
        lingers: seconds that work goes on for after the last answer.
        graph: whether the marked lines also show in the application's dependency tree and source.
    """

    code: str
    package: str
    variants: tuple[Variant, ...] = BOTH
    steps: tuple[Step, ...] = ()
    together: bool = False
    lingers: float = 0.0
    graph: bool = False

    @property
    def name(self) -> str:
        """The folder, below `sample_app/pitfalls`."""
        return self.package.partition(".pitfalls.")[2].replace(".", "/")

    @property
    def folder(self) -> Path:
        """Where the pair is."""
        return _FOLDERS / self.name

    def app(self, side: Side) -> FastAPI:
        """Return one of the two applications."""
        app: FastAPI = importlib.import_module(f"{self.package}.{side}").app
        return app

    def source(self, side: Side) -> Path:
        """Return the file of one of the two applications."""
        return self.folder / f"{side}.py"

    def marks(self, met: Meeting) -> list[Mark]:
        """Return the lines of the wrong application at which a rule is broken, as it can be met in one way."""
        return [mark for mark in self._marks() if mark.met == met]

    def _marks(self) -> Iterator[Mark]:
        for number, line in enumerate(self.source("wrong").read_text().splitlines(), start=1):
            comment = _COMMENT.search(line)
            for found in _MARK.finditer(comment[1] if comment else ""):
                met: Meeting = cast("Meeting | None", found["met"]) or self.variants[0]
                yield Mark(found["code"], number, met)
                if self.graph and met in self.variants:
                    yield Mark(found["code"], number, "graph")
