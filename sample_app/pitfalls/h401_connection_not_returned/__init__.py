"""A session is opened, and never closed.

Its connection is not returned when the function ends: session and transaction refer to each other, and wait for a full
garbage collection. Until then the pool runs dry.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H401", package=__name__, steps=(Step("GET", "/users/101"),))
