"""`docs/several-databases.md`: its examples run, and print what it shows."""

from __future__ import annotations

from tests.support.documents import Document
from tests.support.projects import Project


def test_the_page_is_true(project: Project) -> None:
    """The tests that shall pass do, and the one that shall fail says what is shown."""
    page = Document("several-databases.md")
    assert {"shop.py", "test_shop.py", "test_reports.py"} == set(page.files)
    page.write(project).ini(
        "harness_app = shop:app",
        "asyncio_mode = auto",
        "harness_databases = analytics: url=*analytics* metadata=shop:AnalyticsBase",
    )
    result = project.run_apart()

    assert (4, 1) == (result.passed, result.failed), result.text
    (shown,) = page.all("output")
    assert [] == [line for line in shown.splitlines() if line not in result.text.splitlines()], result.text
