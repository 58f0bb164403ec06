"""The request has read, and its transaction is still open when the background task begins.

Since FastAPI 0.118 the dependency is closed only after the task: the request's connection is idle meanwhile, and the
task needs a second one.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H407", package=__name__, steps=(Step("POST", "/orders/301/reminder", wrong=202, right=202),))
