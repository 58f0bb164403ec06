"""A file that harness writes and a project keeps under version control: JSON, one entry a line, so that it is reviewed.

What can be wrong with such a file is told before the first test, and the same way for all of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What tells kinds of such files apart.

    Attributes:
        name: how messages call it, such as `baseline file`.
        option: the option that names the file.
        example: a good name for it.
        flag: the command that writes it.
        schema: what it says it is, and in which version: `harness-baseline/1`.
        entries: the key of its entries.
    """

    name: str
    option: str
    example: str
    flag: str
    schema: str
    entries: str


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file.

    Attributes:
        kind: what it holds.
        path: where it is.
        shown: how messages call it.
    """

    kind: Kind
    path: Path
    shown: str

    def read(self, source: str) -> dict[str, Any]:
        """Return what it holds: an object of this schema, with a list of entries.

        Args:
            source: where the option's value comes from.

        Raises:
            ConfigError: it does not exist, cannot be read, or is something else.
        """
        data = self._parsed(self._text(source))
        schema, family = data.get("schema") if isinstance(data, dict) else None, self.kind.schema.partition("/")[0]
        if not isinstance(schema, str) or not schema.startswith(f"{family}/"):
            raise self.malformed(self.shown, f'it has no "schema": "{family}/…"')
        if schema != self.kind.schema:
            raise ConfigError(
                f"the {self.kind.name} is of schema {schema!r}, and this version of harness reads {self.kind.schema!r}",
                where=f"{self.shown}, written by harness {data.get('version', 'of an unknown version')}",
                remedy="install the version of harness that wrote it\n"
                f"or delete the file and write it anew with {self.kind.flag}",
            )
        if not isinstance(data.get(self.kind.entries), list):
            raise self.malformed(self.shown, f'"{self.kind.entries}" is not a list')
        return dict(data)

    def _text(self, source: str) -> str:
        try:
            return self.path.read_bytes().decode()
        except FileNotFoundError:
            raise ConfigError(
                f"the {self.kind.name} {self.shown} does not exist",
                where=source,
                remedy=f"create it: run the whole test suite once with {self.kind.flag}\n"
                f"or leave out {self.kind.option}",
            ) from None
        except UnicodeDecodeError as error:
            raise self.malformed(self.shown, f"byte {error.start} is not UTF-8") from None
        except OSError as error:
            raise ConfigError(
                f"the {self.kind.name} {self.shown} cannot be read: {error.strerror or error}",
                where=source,
                remedy=f"name a file: {self.kind.option} = {self.kind.example}",
            ) from None

    def _parsed(self, text: str) -> Any:
        try:
            return json.loads(text.removeprefix("\ufeff"))
        except json.JSONDecodeError as error:
            conflict = re.search(r"^(<<<<<<<|=======|>>>>>>>)", text, re.MULTILINE)
            what = "it has marks of a merge conflict" if conflict else f"column {error.colno}: {error.msg}"
            line = text.count("\n", 0, conflict.start()) + 1 if conflict else error.lineno
            raise self.malformed(f"{self.shown}:{line}", what) from None

    def write(self, head: Mapping[str, Any], entries: Collection[Mapping[str, Any]]) -> None:
        """Write it anew, whole or not at all: what comes before the entries, and one entry a line.

        Raises:
            ConfigError: it cannot be written.
        """
        target = Path(os.path.realpath(self.path))  # a link stays a link
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            # A path that is not UTF-8 becomes an escape, and JSON reads it as what it was.
            text = _text({"schema": self.kind.schema, **head}, self.kind.entries, entries)
            draft.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
            if target.exists():
                draft.chmod(target.stat().st_mode & 0o777)
            draft.replace(target)
        except OSError as error:
            with contextlib.suppress(OSError):  # it may be what could not be made
                draft.unlink(missing_ok=True)
            raise self._unwritable(error.strerror or str(error)) from None

    def check_writable(self) -> None:
        """Raise now what writing would raise after a long run.

        Raises:
            ConfigError: it could not be written.
        """
        if self.path.is_dir():
            raise self._unwritable("it is a directory")
        folder = self.path.resolve().parent
        if not folder.is_dir():
            raise self._unwritable(f"there is no directory {folder.name}")
        if not os.access(folder, os.W_OK):
            raise self._unwritable(f"the directory {folder.name} is read-only")

    def malformed(self, where: str, what: str) -> ConfigError:
        """Return the error for a file that is not what it should be."""
        return ConfigError(
            f"the {self.kind.name} cannot be understood: {what}",
            where=where,
            remedy="mend it, or take it back from version control\n"
            f"or delete it and write it anew with {self.kind.flag}",
        )

    def _unwritable(self, what: str) -> ConfigError:
        return ConfigError(
            f"the {self.kind.name} {self.shown} cannot be written: {what}",
            where=self.kind.option,
            remedy="name a file in a directory that exists and may be written to",
        )


def _text(head: Mapping[str, Any], key: str, entries: Collection[Mapping[str, Any]]) -> str:
    lines = [f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}," for name, value in head.items()]
    rows = ",\n    ".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    tail = f"  {json.dumps(key)}: [\n    {rows}\n  ]" if entries else f"  {json.dumps(key)}: []"
    return "\n".join(("{", *lines, tail, "}", ""))
