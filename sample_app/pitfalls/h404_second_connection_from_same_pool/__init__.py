"""Authentication opens a session of its own and keeps it, so each request holds two connections of one pool.

When as many requests as the pool is large hold their first connection, all of them wait for a second one, for ever.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H404", package=__name__, steps=(Step("GET", "/users/101/orders"),))
