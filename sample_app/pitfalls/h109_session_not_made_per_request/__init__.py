"""`Depends` is given something that does not make one session per request and close it.

The factory itself: FastAPI takes its `**local_kw` for a query parameter, and answers 422. A cached function: every
request gets the same session. A default argument: it is made once, when the module is imported.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H109", package=__name__, steps=(Step("GET", "/users/101", wrong=422),))
