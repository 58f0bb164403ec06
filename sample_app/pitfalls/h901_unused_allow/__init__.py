"""A comment allows what is no longer there.

The defect was mended and the comment stayed: it would silence the next one in silence.
"""

from sample_app.pitfalls.pair import SYNC, Pair, Step

PAIR = Pair(code="H901", package=__name__, variants=SYNC, steps=(Step("GET", "/users"),))
