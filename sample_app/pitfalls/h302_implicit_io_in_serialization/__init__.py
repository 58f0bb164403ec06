"""The same as its neighbour, but the attribute is touched when the response model reads the object.

FastAPI answers 500 with a ResponseValidationError that hides the cause, and no line of the application is to blame.
"""

from sample_app.pitfalls.pair import ASYNC, Pair, Step

PAIR = Pair(code="H302", package=__name__, variants=ASYNC, steps=(Step("GET", "/orders/301", wrong=500),))
