"""The manual of the rules: in the terminal (`--harness-explain H203`), and as pages.

`python -m harness.report.explain docs/rules` writes the pages; a test tells when they are out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import dedent, indent, wrap

from harness.config.codes import covered, split, unknown_rule
from harness.detectors.rule import Rule, Severity
from harness.gate.selection import known_codes

_WIDTH = 88
_FAMILIES = {
    "H1": "Sharing and lifetime of sessions",
    "H2": "Transactions",
    "H3": "Sync and async",
    "H4": "Connections and pools",
    "H5": "Loading and staleness",
    "H6": "Migrations",
    "H9": "harness itself",
}
_EFFECTS = {
    Severity.ERROR: "fails the test in which it arises",
    Severity.WARNING: "is summarised; fails the test with harness_fail_on = warning",
    Severity.INFO: "is shown with -v, and never fails a test",
}


def explain(names: Iterable[str], rules: Sequence[Rule]) -> str:
    """Return the manuals of the rules that are named, as text for a terminal.

    Args:
        names: codes, each giving its manual, or prefixes, each giving a list of its rules.
        rules: the catalogue.

    Raises:
        ConfigError: a name is no rule's.
    """
    known = known_codes(rules)
    by_code = {rule.code: rule for rule in rules}
    parts = []
    for name in split(names):
        codes = covered(name, known)
        if not codes:
            raise unknown_rule("--harness-explain", name, known, None)
        parts.append(manual(by_code[name]) if name in by_code else listing([by_code[code] for code in codes]))
    return "\n\n".join(parts) + "\n"


def manual(rule: Rule) -> str:
    """Return a rule's manual as text for a terminal."""
    sections = [
        ("What", _wrapped(rule.what)),
        ("Why", _wrapped(rule.why)),
        ("Wrong", _code(rule.wrong)),
        ("Right", _code(rule.right)),
        ("Fix", _wrapped(rule.fix)),
        ("Not reported", "\n".join(_wrapped(look_alike, "- ") for look_alike in rule.quiet)),
        ("Severity", _wrapped(_severity(rule))),
        ("Found", _wrapped(_found(rule))),
        ("Select", _wrapped(_selected(rule))),
        ("Allow", "\n".join(f"{how}\n  {text}" for how, text in _allowing(rule))),
    ]
    body = "\n\n".join(f"{title}\n{indent(text, '  ')}" for title, text in sections if text)
    return f"{rule.code}  {rule.name}\n\n{body}"


def listing(rules: Sequence[Rule]) -> str:
    """Return a list of rules, one a line, by family."""
    lines: list[str] = []
    for family, members in _families(rules):
        lines += ["", f"{family}  {_FAMILIES.get(family, '')}".rstrip()]
        lines += [f"  {rule.code}  {rule.severity!s:<8} {rule.name}{_remark(rule)}" for rule in members]
    return "\n".join([*lines[1:], "", "--harness-explain CODE prints the manual of one."])


def markdown(rule: Rule) -> str:
    """Return a rule's page."""
    parts = [
        f"# {rule.code}: {_plain(rule.name)}",
        _plain(_sentence(rule.what)),
        f"**Why.** {_plain(_sentence(rule.why))}",
        f"## Wrong\n\n```python\n{_code(rule.wrong)}\n```",
        f"## Right\n\n```python\n{_code(rule.right)}\n```",
        f"**Fix.** {_plain(_sentence(rule.fix))}",
    ]
    if rule.quiet:
        parts.append("## Not reported\n\n" + "\n".join(f"- {_plain(look_alike)}" for look_alike in rule.quiet))
    facts = [("Severity", _severity(rule)), ("Found", _found(rule)), ("Select", _selected(rule))]
    parts.append("## Facts\n\n" + "\n".join(f"- {title}: {_plain(text)}" for title, text in facts))
    allowing = "\n".join(f"- {how}: `{text}`" for how, text in _allowing(rule))
    parts.append(f"## Allow it\n\n{allowing}")
    return "\n\n".join(parts) + "\n"


def index(rules: Sequence[Rule]) -> str:
    """Return the page that lists all rules."""
    parts = [
        "# Rules",
        "Also in the terminal: `pytest --harness-explain H` lists them, `--harness-explain H203` explains one.",
    ]
    for family, members in _families(rules):
        rows = [
            f"| [{rule.code}]({rule.code}.md) | {_plain(rule.name)}{_remark(rule)} | {rule.severity} |"
            for rule in members
        ]
        table = "\n".join(("| code | rule | severity |", "|---|---|---|", *rows))
        parts += [f"## {family}: {_FAMILIES.get(family, '')}".rstrip(": "), table]
    return "\n\n".join(parts) + "\n"


def pages(rules: Sequence[Rule]) -> dict[str, str]:
    """Return all pages, by the name of their file."""
    return {"README.md": index(rules), **{f"{rule.code}.md": markdown(rule) for rule in rules}}


def main(arguments: Sequence[str]) -> int:
    """Write the pages to the directory that is given, and remove those of rules that there are no more."""
    from harness.detectors.catalogue import all_rules

    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m harness.report.explain DIRECTORY\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    written = pages(list(all_rules()))
    for stale in (path for path in folder.glob("H[0-9][0-9][0-9].md") if path.name not in written):
        stale.unlink()
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    sys.stdout.write(f"{len(written)} pages in {folder}\n")
    return 0


def _families(rules: Sequence[Rule]) -> list[tuple[str, list[Rule]]]:
    found: dict[str, list[Rule]] = {}
    for rule in sorted(rules, key=lambda rule: rule.code):
        found.setdefault(rule.code[:2], []).append(rule)
    return list(found.items())


def _remark(rule: Rule) -> str:
    return " (opt-in)" if rule.opt_in else "" if rule.stable else " (unstable)"


def _severity(rule: Rule) -> str:
    return f"{rule.severity}: {_EFFECTS[rule.severity]}"


def _found(rule: Rule) -> str:
    ways = ["while tests run"] * rule.runtime + ["in the application's dependency tree and source"] * rule.graph
    return " and ".join(ways) + f"; since version {rule.since}"


def _selected(rule: Rule) -> str:
    if rule.opt_in:
        return f"opt-in, by its full code only: harness_select = stable {rule.code}"
    if not rule.stable:
        return f"unstable, not part of the default: harness_select = stable {rule.code}"
    return "part of the default selection"


def _allowing(rule: Rule) -> list[tuple[str, str]]:
    code = rule.code
    ways = [
        ("on the line, or on the function's def or a decorator", f"# harness: allow[{code}] reason"),
        ("for a test", f'@pytest.mark.harness(allow=["{code}"])'),
        ("for a path, in the pytest configuration", f"harness_allow = {code}:app/legacy/*"),
        ("everywhere", f"harness_ignore = {code}"),
    ]
    return ways if rule.runtime else [ways[0], *ways[2:]]


def _wrapped(text: str, bullet: str = "") -> str:
    """Return text in lines of the manual's width; its own line breaks are kept."""
    lines: list[str] = []
    for paragraph in text.strip().splitlines():
        lines += wrap(paragraph.strip(), _WIDTH - 2 - len(bullet), break_long_words=False, break_on_hyphens=False) or [
            ""
        ]
    return bullet + f"\n{' ' * len(bullet)}".join(lines)


def _code(text: str) -> str:
    return dedent(text).strip("\n").rstrip()


def _sentence(text: str) -> str:
    text = text.strip()
    if text.split(" ")[0].isalpha():  # a word, rather than code
        text = text[0].upper() + text[1:]
    return text if text.endswith((".", "?", "!", ":")) else f"{text}."


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is, except for what stands in backticks."""
    pieces = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(
        piece if piece.startswith("`") else re.sub(r"([*<\\|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))", r"\\\1", piece)
        for piece in pieces
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
