"""`harness_now`: whether the database's time stands still within a test. The laws of time are in `tests/backends`."""

from __future__ import annotations

import pytest

from tests.support.diary import APPS, MODELS
from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestNow(OptionLaws):
    """The laws of every option."""

    name = "now"
    first = "advancing"
    second = "frozen"
    default = "frozen"


@pytest.mark.parametrize(
    ("value", "near"), [("advance", "did you mean 'advancing'?"), ("real", "valid: frozen, advancing")]
)
def test_an_unknown_value_lists_the_valid_ones(project: Project, value: str, near: str) -> None:
    """Before any test runs."""
    project.app().write(test_it="def test_it(): raise AssertionError")

    project.run(f"--harness-now={value}").assert_usage_error(
        f"harness_now does not know '{value}'", near, "valid: frozen, advancing"
    )


@pytest.mark.parametrize("value", ["frozen", "advancing"])
def test_libraries_that_freeze_pythons_time_freeze_no_database(project: Project, value: str) -> None:
    """The database has its own clock, as in production."""
    project.write(
        shop____init__="",
        shop__models=MODELS,
        shop__main=APPS["sqlite3"],
        test_it="""
            import datetime
            import time
            from unittest import mock
            from sqlalchemy import func, select

            def test_it(client, db_session):
                with mock.patch("time.time", lambda: 0.0), mock.patch("time.time_ns", lambda: 0):
                    assert time.time() == 0.0
                    created = datetime.datetime.fromisoformat(client.post("/notes/a").json()["created"])
                    now = db_session.scalar(select(func.now()))
                real = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
                for moment in (created, now):
                    assert abs(real - moment) < datetime.timedelta(minutes=5)
        """,
    ).ini("harness_app = shop.main:app", f"harness_now = {value}")

    project.run().assert_passed(1)


def test_one_test_may_ask_for_it(project: Project) -> None:
    """With the marker, closest first; the others keep what the option says."""
    project.write(
        shop____init__="",
        shop__models=MODELS,
        shop__main=APPS["sqlite3"],
        test_it="""
            import pytest
            from sqlalchemy import func, select

            def times(session):
                seen = []
                for _ in range(3):
                    seen.append(session.scalar(select(func.now())))
                    session.commit()
                return seen

            def test_not_asked_for(db_session):
                assert all(moment.microsecond == 0 for moment in times(db_session))

            @pytest.mark.harness(now="advancing")
            class TestAsked:
                def test_here(self, db_session):
                    first, second, third = times(db_session)
                    assert first < second < third

                @pytest.mark.harness(now="frozen")
                def test_not_here(self, db_session):
                    assert all(moment.microsecond == 0 for moment in times(db_session))
        """,
    ).ini("harness_app = shop.main:app")

    project.run().assert_passed(3)
