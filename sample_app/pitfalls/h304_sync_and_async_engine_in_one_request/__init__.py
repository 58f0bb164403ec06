"""One request works on the async engine and on the blocking one.

There are two transactions, which commit separately and may wait for each other, and two connections per request.
"""

from sample_app.pitfalls.pair import ASYNC, Pair, Step

PAIR = Pair(code="H304", package=__name__, variants=ASYNC, steps=(Step("POST", "/orders/301/cancel"),))
