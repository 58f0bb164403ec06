"""The examples of docs/hypothesis.md, as they stand there."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import harness
from tests.support.projects import Project

_PAGE = Path(harness.__file__).parent.parent / "docs/hypothesis.md"
_EXAMPLES = re.findall(r"<!-- example: (\S+)(?: (\S+))? -->\n```python\n(.*?)```", _PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize(("file", "needs", "source"), _EXAMPLES, ids=[file for file, *_ in _EXAMPLES])
def test_an_example_of_the_page_passes(project: Project, file: str, needs: str, source: str) -> None:
    """With the application `shop`, a users table with unique names."""
    if needs and find_spec(needs) is None:
        pytest.skip(reason=f"{needs} is not installed")
    project.app().ini("harness_app = shop.main:app")
    (project.path / file).write_text(source)
    plugins = ("-p", "hypothesispytest", *(("-p", needs) if needs else ()))

    project.run_apart(*plugins).assert_passed(source.count("def test_"))
