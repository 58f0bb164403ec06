"""Mixing async FastAPI endpoints with synchronous SQLAlchemy calls without proper handling.

Root cause: confusing async and sync code execution models leading to blocking or errors. The lesson's correct approach
is in words: "use async-compatible database libraries or run sync calls in thread pools; do not call sync DB code
directly in async endpoints". `right.py` shows both.
"""

from sample_app.pitfalls.pair import ASYNC, Pair, Step

PAIR = Pair(
    code="H301",
    package=__name__,
    variants=ASYNC,
    steps=(Step("GET", "/items"),),
    graph=True,
)
