"""The page, as a document."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from harness.detectors.transactions.write_never_committed import RULE
from harness.report.html import render
from harness.report.html.choice import DRAWN, choose
from harness.report.json_report import document
from tests.unit.report.made import record, request, results, statement, timeline, transaction
from tests.unit.report.realistic import realistic

HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">'\"\u2028{{$x}}"
)


class Reader(HTMLParser):
    """Reads a page: its tags with their attributes, the text outside of scripts, and whether tags are in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert [] == self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.text += data

    def values(self, name: str) -> list[str]:
        """Return the values of an attribute."""
        return [value for _, attributes in self.tags if (value := attributes.get(name)) is not None]


def hostile_page() -> str:
    """A page in which everything that can be anybody's text is an attack."""
    sent = statement(1, 1, f"SELECT {HOSTILE} FROM items", "app/x.py:3 f") | {"path": HOSTILE, "loaded": HOSTILE}
    call = {"at": 1, "library": "httpx", "target": HOSTILE, "path": None, "line": None, "held": 1}
    drawn = request("GET /x", 200, [("endpoint", 0)], 5, [sent], [transaction(0, 4, "discarded", writes=1)])
    drawn |= {"route": HOSTILE, "method": HOSTILE, "calls": [call], "error": HOSTILE}
    found = record(
        message=HOSTILE,
        at=f"{HOSTILE.replace(' ', '')}:3 f",
        request=(HOSTILE, HOSTILE, 200),
        tests=(HOSTILE,),
        evidence=((HOSTILE, "app/x.py:3 f"),),
        why=HOSTILE,
        fix=HOSTILE,
        name=HOSTILE,
    )
    made = results(found, record(message=HOSTILE, at="b.py:1 f", suppressed="ini"))
    made.databases = [HOSTILE]
    made.timelines = [timeline(HOSTILE, drawn)]
    return render(made)


def test_findings_stand_there_without_a_script(tmp_path: Path) -> None:
    """Each with place, request, evidence, why, fix and how to allow it."""
    made = realistic(tmp_path)
    page = Reader(render(made, [RULE]))

    for found in made.open:
        assert all(text in page.text for text in (found.message, found.why, found.fix))
        assert found.location is not None
        assert f"{found.location.path}:{found.location.line}" in page.text
        assert all(piece.text in page.text for piece in found.evidence)
    assert "6 errors, 4 warnings, 1 info" in page.text
    assert "4 accepted: 2 by baseline, 1 by marker, 1 by comment" in page.text
    assert RULE.what in page.text


def test_the_code_around_a_finding_is_shown_with_its_line_marked(tmp_path: Path) -> None:
    """Read from disk, up to where something else begins."""
    page = render(realistic(tmp_path))
    excerpt = page[page.index("app/items.py, lines ") :].split("</pre>")[0]
    shown = Reader(f"<pre {excerpt[excerpt.index('>') :]}</pre>".replace("<pre >", "<pre>")).text

    assert ["14", "15", "16", "17", "▶18", "19"] == re.findall(r"^(▶?\d+)", shown, re.MULTILINE)
    assert "▶18    db.flush()" in shown
    assert '<span class="tok-keyword">return</span>' in excerpt


def test_code_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    """Moved, cut short, not text, or far too long: the place is still told."""
    (tmp_path / "short.py").write_text("x = 1\n")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00" * 9)
    (tmp_path / "broken.py").write_text("def f(:\n    'never closed\n")
    places = ["gone.py:3 f", "short.py:9 f", "binary.py:1 f", "broken.py:2 f"]
    page = Reader(render(results(*(record(at=place) for place in places), root=str(tmp_path))))

    assert all(place.replace(" f", " in f") in page.text for place in places)
    assert 1 == len([label for label in page.values("aria-label") if "is marked" in label])


def test_nothing_is_loaded_from_anywhere(tmp_path: Path) -> None:
    """One file; the browser is told to refuse anything else."""
    page = Reader(render(realistic(tmp_path)))

    assert [] == page.values("src")
    assert [] == [name for name, _ in page.tags if name in ("link", "iframe", "object", "base")]
    assert all(target.startswith("#") for target in page.values("href"))
    assert any(policy.startswith("default-src 'none'") for policy in page.values("content"))
    assert "url(" not in render(results())
    assert "@import" not in render(results())


def test_every_link_has_its_target_and_every_id_is_there_once(tmp_path: Path) -> None:
    """From the margin, from findings to timelines and back."""
    page = Reader(render(realistic(tmp_path)))
    ids = page.values("id")

    assert len(ids) == len(set(ids))
    assert set() == {target[1:] for target in page.values("href")} - set(ids)


def test_nobody_s_text_becomes_markup() -> None:
    """Names of tests, routes and statements are hostile input."""
    page = Reader(hostile_page())

    assert ["application/json", None] == [attributes.get("type") for name, attributes in page.tags if name == "script"]
    assert [] == page.values("onerror")
    assert "img" not in {name for name, _ in page.tags}
    assert "<img src=x" in page.text


def test_the_embedded_data_is_the_json_report(tmp_path: Path) -> None:
    """And holds nothing that could end its element."""
    made = realistic(tmp_path)
    block = re.search(r'<script type="application/json" id="report">(.*?)</script>', render(made), re.DOTALL)
    hostile = re.search(r'<script type="application/json" id="report">(.*?)</script>', hostile_page(), re.DOTALL)

    assert block is not None
    assert document(made) == json.loads(block.group(1))["report"]
    assert hostile is not None
    assert HOSTILE == json.loads(hostile.group(1))["report"]["databases"][0]
    assert not re.search(r"[<>&\u2028]", hostile.group(1))


def test_a_run_without_findings_or_timelines_is_a_page_too() -> None:
    """And says so."""
    assert "No findings." in Reader(render(results())).text
    assert "No test touched the database." in Reader(render(results(requests=0, statements=0))).text


def test_the_page_never_names_the_project_s_directory(tmp_path: Path) -> None:
    """It may be published."""
    assert str(tmp_path) not in render(realistic(tmp_path))


def test_a_drawing_is_told_in_words_too(tmp_path: Path) -> None:
    """For those who cannot see it; colours are never alone."""
    labels = " | ".join(Reader(render(realistic(tmp_path))).values("aria-label"))

    assert (
        "POST /items took 8.2 ms; the response was sent at 7.0 ms; a transaction with 1 write was discarded" in labels
    )
    assert "a transaction with 1 write was committed at 47.2 ms, after the response" in labels
    assert "a transaction with 0 writes was still open" in labels
    assert "a transaction with 0 writes was closed at 4.1 ms" in labels


def test_repeated_statements_are_told_once(tmp_path: Path) -> None:
    """With their number, in the list and in the table."""
    text = Reader(render(realistic(tmp_path))).text

    assert "×28" in text
    assert "28 × SELECT FROM orders at app/reports.py:41" in text


def test_requests_with_findings_are_drawn_first_and_the_others_counted() -> None:
    """A page with ten thousand drawings helps nobody."""
    plain = [timeline(f"t.py::{number}", request("GET /a", 200, [("endpoint", 0)], 9, [], [])) for number in range(80)]
    guilty = timeline("t.py::guilty", request("POST /items", 201, [("endpoint", 0)], 1, [], []))
    found = record(tests=("t.py::guilty",))
    choice = choose([*plain, guilty], [found])

    assert (DRAWN, 81 - DRAWN) == (len(choice.drawn), choice.left_out)
    assert choice.drawn[-1].anchor == choice.anchors[found.fingerprint]
    assert {"H201": f"f-{found.fingerprint}"} == choice.drawn[-1].codes
