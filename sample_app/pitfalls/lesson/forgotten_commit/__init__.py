"""Forgetting to commit after adding or changing data.

Root cause: not realizing that SQLAlchemy sessions require explicit commits to save changes.
"""

from sample_app.pitfalls.pair import SYNC, Pair, Step

PAIR = Pair(
    code="H201",
    package=__name__,
    variants=SYNC,
    steps=(Step("POST", "/items", wrong=201, right=201),),
)
