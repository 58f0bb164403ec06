"""The background task writes with the request's session.

The session is closed before the task runs, or only after it: that depends on FastAPI's version. Where it is closed,
it silently opens again and nobody closes it; where it is open, its connection waits for the task to end.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H105", package=__name__, steps=(Step("POST", "/orders/301/cancel"),))
