"""A Core connection is opened with `connect()`, written to, and closed.

Since SQLAlchemy 2.0 nothing commits by itself: closing the connection rolls back.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H208", package=__name__, steps=(Step("POST", "/items/kettle/restock"),))
