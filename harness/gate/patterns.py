"""`harness_allow`: findings accepted by rule and path, such as `H301:app/legacy/*`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.config.codes import Known, covered, split, unknown_rule
from harness.config.resolve import Value
from harness.errors import ConfigError
from harness.gate.record import Record


@dataclass(frozen=True, slots=True)
class Pattern:
    """One code or prefix, the paths at which its findings are accepted, and who says so."""

    code: str
    glob: str
    source: str = "harness_allow"

    def accepts(self, record: Record) -> bool:
        """Tell whether a finding is accepted. `*` stands for any characters, and a folder for all that is below it."""
        path = record.location.path if record.location else ""
        return record.code.startswith(self.code) and any(fnmatchcase(path, glob) for glob in self._globs())

    def _globs(self) -> Iterable[str]:
        yield self.glob
        yield self.glob.replace("**/", "")
        yield f"{self.glob.rstrip('/')}/*"

    def __str__(self) -> str:
        return f"{self.code}:{self.glob}"


def patterns_from(allowed: Value, known: Known) -> tuple[Pattern, ...]:
    """Return the patterns of `harness_allow`; several codes may stand before one path, separated by commas.

    Raises:
        ConfigError: one has no code or no path, or names no rule.
    """
    return tuple(pattern for text in allowed.values for pattern in _patterns(text, known, allowed.source))


def _patterns(text: str, known: Known, source: str) -> Iterable[Pattern]:
    codes, colon, glob = text.partition(":")
    if not split([codes]) or not glob.strip():
        named = bool(split([codes]) if colon else covered(codes, known))
        missing = "no path" if named else "no rule"
        raise ConfigError(
            f"harness_allow {text!r} names {missing}",
            where=source,
            remedy="write CODE:GLOB, such as H301:app/legacy/*\nto switch a rule off everywhere: harness_ignore = H301",
        )
    for code in split([codes]):
        if not covered(code, known):
            raise unknown_rule("harness_allow", code, known, source)
        yield Pattern(code, glob.strip().replace("\\", "/").removeprefix("./"), source)
