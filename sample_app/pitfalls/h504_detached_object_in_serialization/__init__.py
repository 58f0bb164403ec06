"""The same as its neighbour, but the object is read by the response model, when no session is left.

FastAPI answers 500 with a ResponseValidationError that hides the cause.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H504", package=__name__, steps=(Step("GET", "/orders/301", wrong=500),))
