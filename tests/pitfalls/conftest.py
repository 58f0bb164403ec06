"""The databases on which the pitfalls are run, and the one run over all of them on each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from sample_app.pitfalls.pair import Variant
from tests.pitfalls.runs import PITFALLS, Outcome, run
from tests.support.servers import postgres_url

__all__ = ["postgres_url"]

DATABASES = ("sqlite", "postgres")
PRODUCTION = "postgresql+psycopg2://nobody@production.invalid/shop"


@pytest.fixture(scope="session", params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """What `--harness-database` is given."""
    selected = request.config.getoption("db")
    if selected and request.param not in selected:
        pytest.skip(reason=f"--db selects {', '.join(selected)} only")
    if request.param == "sqlite":
        return "sqlite"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def drive(database: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Variant], Outcome]:
    """The run of every pair that can be driven, on its blocking or on its async routes."""

    @cache
    def drive(variant: Variant) -> Outcome:
        directory = tmp_path_factory.mktemp(f"driven_{variant}")
        everything = ("--harness-select=H", "--harness-select=H403")  # an opt-in rule is selected by its full code
        chosen = (str(PITFALLS), "-k", f"test_{variant}", f"--harness-database={database}")
        # The shop makes its engines for the kind of database that it is tested on, as in production.
        return run(directory, *chosen, *everything, shop_url=None if database == "sqlite" else PRODUCTION)

    return drive
