"""The session is closed before the object that came from it is read.

This one fails by itself, with DetachedInstanceError; the rule says where the session was closed.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H504", package=__name__, steps=(Step("GET", "/orders/301/buyer", wrong=500),))
