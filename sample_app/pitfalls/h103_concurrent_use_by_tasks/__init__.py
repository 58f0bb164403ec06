"""Two statements of one `AsyncSession` are gathered.

Two SELECTs may pass by luck; with a flush or a commit among them SQLAlchemy raises IllegalStateChangeError, or worse.
"""

from sample_app.pitfalls.pair import ASYNC, Pair, Step

PAIR = Pair(code="H103", package=__name__, variants=ASYNC, steps=(Step("GET", "/users/101/summary"),))
