"""The request asks another company over HTTP while its transaction is open.

The connection is idle for as long as they take. On the day they are slow the pool is empty, and the shop stands still.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H405", package=__name__, steps=(Step("POST", "/orders/301/ship"),))
