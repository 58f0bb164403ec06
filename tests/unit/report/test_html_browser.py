"""The page in a real browser, without a screen and without a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.report.html import render
from tests.unit.report.realistic import realistic
from tests.unit.report.test_html import hostile_page

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
)


class Browser:
    """Opens files."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder

    def open(self, page: str, *flags: str) -> tuple[str, list[str]]:
        """Return the document after its scripts have run, and what the console said."""
        file = self._folder / "page.html"
        file.write_text(page, encoding="utf-8")
        command = [self._program, *_FLAGS, f"--user-data-dir={self._folder / 'profile'}", *flags, "--dump-dom"]
        done = subprocess.run([*command, file.as_uri()], capture_output=True, text=True, timeout=120, check=True)
        return done.stdout, re.findall(r"CONSOLE.*", done.stderr)

    def after(self, page: str, script: str, *flags: str) -> str:
        """Return what a script of the test's own says about the page; the page itself would refuse to run it."""
        page = re.sub(r"<meta http-equiv=[^>]*>", "", page)
        added = f"<script>document.body.dataset.said = (() => {{{script}}})()</script></body>"
        dom, console = self.open(page.replace("</body>", added), *flags)
        assert [] == console
        said = re.search(r'data-said="([^"]*)"', dom)
        assert said is not None
        return said.group(1)


def find_browser() -> str:
    """Return the program; without one, fail where it was promised, and skip elsewhere."""
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    told = f"none of {', '.join(_NAMES)} is installed, and the page is checked in a real browser"
    if "chromium" in os.environ.get("HARNESS_TEST_REQUIRE", ""):
        pytest.fail(told)
    pytest.skip(reason=told)


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    program = find_browser()
    folder = tmp_path / "browser"
    folder.mkdir()
    return Browser(program, folder)


def test_it_opens_from_disk_without_a_complaint(browser: Browser, tmp_path: Path) -> None:
    """Its own script runs under its own policy, and finds every finding."""
    dom, console = browser.open(render(realistic(tmp_path)))

    assert [] == console
    assert '<html lang="en" class="js">' in dom
    assert 11 == len(re.findall(r'<article class="finding ', dom))
    assert 10 == len(re.findall(r'<article class="request"', dom))


def test_nobody_s_text_runs(browser: Browser) -> None:
    """Not even where it looks like a script."""
    dom, console = browser.open(hostile_page())

    assert [] == console
    assert "<title>harness: 1 error</title>" in dom


def test_a_missing_browser_fails_where_it_was_promised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And is a reason to skip elsewhere."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setenv("HARNESS_TEST_REQUIRE", "postgres,chromium")
    with pytest.raises(pytest.fail.Exception, match="none of chromium"):
        find_browser()

    monkeypatch.setenv("HARNESS_TEST_REQUIRE", "postgres")
    with pytest.raises(pytest.skip.Exception, match="none of chromium"):
        find_browser()


def test_findings_can_be_filtered_and_searched(browser: Browser, tmp_path: Path) -> None:
    """By severity and by words from anywhere in a finding; the margin and the headings follow."""
    script = """
        const findings = [...document.querySelectorAll('.finding')];
        const visible = () => findings.filter((found) => found.checkVisibility()).length;
        const said = [visible()];
        document.querySelector('[data-filter=error]').click();
        said.push(visible(), document.getElementById('shown').textContent);
        document.querySelector('[data-filter=error]').click();
        const search = document.getElementById('search');
        const look = (words) => { search.value = words; search.dispatchEvent(new Event('input')); return visible(); };
        said.push(look('PLUM'), look('h401 audit'), look('items.py flush nowhere'));
        said.push(document.getElementById('met').hidden);
        look('');
        document.querySelector('[data-statement]').click();
        said.push(document.querySelector('.statements .marked').closest('details').open);
        return said.join(' | ');
    """

    assert "11 | 5 | 5 of 11 findings | 1 | 1 | 0 | true | true" == browser.after(render(realistic(tmp_path)), script)


@pytest.mark.parametrize("width", [500, 1280])
def test_nothing_sticks_out(browser: Browser, tmp_path: Path, width: int) -> None:
    """Long lines scroll in their own box; 500 is the narrowest window that this browser makes."""
    script = "return [document.documentElement.scrollWidth <= innerWidth, innerWidth].join(' ')"

    assert f"true {width}" == browser.after(render(realistic(tmp_path)), script, f"--window-size={width},900")


def test_text_has_contrast_in_light_and_dark(browser: Browser, tmp_path: Path) -> None:
    """At least 4.5 : 1 against what is behind it."""
    script = """
        const light = (color) => {
          const parts = color.match(/[\\d.]+/g).slice(0, 3).map(Number);
          const linear = parts.map((part) => part / 255)
            .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
          return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
        };
        const behind = (element) => {
          for (let at = element; at; at = at.parentElement) {
            const color = getComputedStyle(at).backgroundColor;
            if (!/^rgba.*, 0\\)$/.test(color)) return color;
          }
          return 'rgb(255, 255, 255)';
        };
        const bad = new Set();
        for (const details of document.querySelectorAll('details')) details.open = true;
        for (const element of document.body.querySelectorAll('*')) {
          const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
          if (!own || /SCRIPT|STYLE/.test(element.tagName) || !element.checkVisibility()) continue;
          const [one, two] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a);
          if ((one + 0.05) / (two + 0.05) < 4.5) bad.add(`${element.tagName}.${element.className}`);
        }
        return [matchMedia('(prefers-color-scheme: dark)').matches, ...bad].join(' ');
    """
    page = render(realistic(tmp_path))

    assert "false" == browser.after(page, script)
    assert "true" == browser.after(page, script, "--blink-settings=preferredColorScheme=0")
