"""`harness_report`: which reports are written, and where."""

from __future__ import annotations

from tests.support.options import OptionLaws


class TestReport(OptionLaws):
    """The laws of every option."""

    name = "report"
    first = "json:findings.json"
    second = "sarif:findings.sarif"
