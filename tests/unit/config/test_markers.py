"""What the markers of a test ask for, without a run."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from harness.config.markers import Allow, Request, request_of
from harness.errors import ConfigError
from tests.support.rules import KNOWN

SOURCE = """
    import pytest

    pytestmark = pytest.mark.harness(allow="H4", isolation="none")

    @pytest.mark.harness(allow=["H301"], expect=("H201",))
    def test_one(): ...

    @pytest.mark.harness(allow=["H301"])
    @pytest.mark.parametrize("n", [1, 2])
    def test_many(n): ...

    @pytest.mark.harness(allow={"H303", "H301"}, expect="H203", isolation="rollback")
    class TestA:
        @pytest.mark.harness(expect=["H201"])
        def test_in_class(self): ...
"""


@pytest.fixture(autouse=True)
def _quiet(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")


@pytest.fixture
def items(pytester: pytest.Pytester) -> dict[str, pytest.Item]:
    """The tests of a module, by name."""
    return {item.name: item for item in pytester.getitems(dedent(SOURCE))}


def asked(item: pytest.Item) -> Request:
    """What a test asks for."""
    return request_of(item, KNOWN)


def plain(request: Request) -> list[tuple[str, str, bool]]:
    """The allowances, with the last part of who holds them."""
    return [(allow.code, allow.holder.split("::")[-1].rpartition(".")[2], allow.shared) for allow in request.allow]


def test_markers_add_up_from_the_test_outwards(items: dict[str, pytest.Item]) -> None:
    """`allow` and `expect` are merged; `isolation` is that of the closest which has one."""
    one, inner = asked(items["test_one"]), asked(items["test_in_class"])

    assert [("H301", "test_one", False), ("H4", "py", True)] == plain(one)
    assert (("H201",), "none") == (one.expect, one.isolation)
    assert [("H301", "TestA", True), ("H303", "TestA", True), ("H4", "py", True)] == plain(inner)
    assert (("H201", "H203"), "rollback") == (inner.expect, inner.isolation)


def test_a_function_with_parameters_shares_its_marker(items: dict[str, pytest.Item]) -> None:
    """One of its tests may need it and another not."""
    first, second = asked(items["test_many[1]"]), asked(items["test_many[2]"])

    assert ("H301", "test_many", True) == plain(first)[0]
    assert first.allow == second.allow


def marked(pytester: pytest.Pytester, **arguments: Any) -> pytest.Item:
    """A test with a marker."""
    item = pytester.getitem("def test_func(): ...")
    item.add_marker(pytest.mark.harness(**arguments))
    return item


def test_without_the_table_of_rules_codes_are_taken_as_they_are(pytester: pytest.Pytester) -> None:
    """Whoever only asks for the isolation need not know the rules."""
    item = marked(pytester, allow=["H999"])

    assert ["H999"] == [allow.code for allow in request_of(item).allow]
    with pytest.raises(ConfigError, match="does not know the rule 'H999'"):
        asked(item)


@pytest.mark.parametrize("value", [None, (), 5, [None], {"H301": "reason"}, [""], b"H301"])
@pytest.mark.parametrize("name", ["allow", "expect"])
def test_what_names_no_rule_is_refused(pytester: pytest.Pytester, name: str, value: object) -> None:
    """With the test, and an example."""
    with pytest.raises(ConfigError, match=r"names no rule|takes a list of codes") as caught:
        asked(marked(pytester, **{name: value}))

    assert (caught.value.where or "").endswith("::test_func")
    assert f"{name}=['H301']" in (caught.value.remedy or "")


def test_an_allowance_is_a_value() -> None:
    """Two of the same test are one."""
    assert Allow("H301", "t.py", True) == Allow("H301", "t.py", True)
