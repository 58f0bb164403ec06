"""`async for db in get_session()` is left in the middle.

Leaving the loop does not close the generator: its clean-up runs when garbage collection comes by, or never.
"""

from sample_app.pitfalls.pair import ASYNC, Pair, Step

PAIR = Pair(code="H108", package=__name__, variants=ASYNC, steps=(Step("GET", "/users/101"),))
