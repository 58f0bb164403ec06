"""Ranges of ids: one per table, by its name."""

from __future__ import annotations

import pytest

from harness.isolation.numbering import base_within, bases

_NAMES = [f"table_{number}" for number in range(200)]


@pytest.mark.parametrize("narrow", [False, True])
def test_no_two_tables_share_a_range(narrow: bool) -> None:
    """Whatever their names are, as long as there are ranges."""
    found = bases(_NAMES, narrow=narrow)

    assert set(found) == set(_NAMES)
    assert len(set(found.values())) == len(_NAMES)


def test_one_more_table_moves_few() -> None:
    """Ids that are written in tests stay when a table is added."""
    before = bases(_NAMES[:50])
    for extra in _NAMES[50:]:
        after = bases([*_NAMES[:50], extra])
        assert sum(before[name] != after[name] for name in before) <= 3


def test_the_order_of_tables_does_not_matter() -> None:
    """Nor do repetitions."""
    assert bases(_NAMES) == bases([*reversed(_NAMES), *_NAMES])


def test_more_tables_than_ranges_share_some() -> None:
    """It ends, and every table has a range."""
    names = [f"t{number}" for number in range(1000)]

    assert set(bases(names, narrow=True)) == set(names)


@pytest.mark.parametrize(
    ("largest", "low", "high"),
    [(2**63 - 1, 100_000, 9_990_000), (2**31 - 1, 100_000, 9_990_000), (32_767, 100, 30_000)],
)
def test_a_range_fits_the_type_of_the_key(largest: int, low: int, high: int) -> None:
    """SMALLINT keys have ranges of a hundred."""
    for name in _NAMES:
        base = base_within(name, _NAMES, largest)
        assert base is not None
        assert low <= base <= high


def test_a_sequence_that_ends_before_any_range_is_left_alone() -> None:
    """As one that counts backwards is, which says that its largest number is zero."""
    assert base_within("users", ["users"], 1000) is None
    assert base_within("users", ["users"], 0) is None
