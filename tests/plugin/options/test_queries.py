"""`harness_queries`: the file of counts; and `--harness-queries-record`, which writes it."""

from __future__ import annotations

from tests.support.kept_files import KeptFileLaws


class TestQueries(KeptFileLaws):
    """The laws of every file under version control; what it counts is tested in `plugin/queries/`."""

    name = "queries"
    first = "queries.json"
    second = "others.json"
    kind = "query ledger"
    empty = '{"schema": "harness-queries/1", "databases": [], "counts": []}'
    command = "queries-record"
