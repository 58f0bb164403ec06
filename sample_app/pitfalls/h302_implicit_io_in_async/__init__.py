"""An attribute that is not loaded is touched in async code: SQLAlchemy would have to wait, and cannot.

This one fails by itself, with MissingGreenlet from the depths of SQLAlchemy; the rule names attribute, line and cure.
"""

from sample_app.pitfalls.pair import ASYNC, Pair, Step

PAIR = Pair(code="H302", package=__name__, variants=ASYNC, steps=(Step("GET", "/orders/301/buyer", wrong=500),))
