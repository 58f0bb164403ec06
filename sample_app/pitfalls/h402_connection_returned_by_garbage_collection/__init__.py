"""A Core connection is opened, and nobody has a name to close it by.

That nothing was raised is all that the health check wants to know. Garbage collection returns the connection, sooner or
later; an async one it cannot return at all, and throws away.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H402", package=__name__, steps=(Step("GET", "/health"),))
