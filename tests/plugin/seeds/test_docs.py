"""`docs/seed-data.md` is true: its examples are a project whose tests pass."""

from __future__ import annotations

import re
from pathlib import Path

from tests.plugin.seeds.conftest import Shop

_PAGE = Path(__file__).parents[3] / "docs/seed-data.md"
_EXAMPLE = re.compile(r"<!-- file: (\w+)\.py -->\n```python\n(.*?)```", re.DOTALL)


def test_the_examples_of_the_page_run(shop: Shop) -> None:
    """Each block is a file, and all of their tests pass."""
    examples = dict(_EXAMPLE.findall(_PAGE.read_text()))
    shop.app("async").write(**examples)

    assert set(examples) == {"test_catalogue", "test_async", "test_async_fixture"}
    shop.run_apart().assert_passed(6)
