"""Work that nobody waits for goes on with the session of a request that is over.

The dependency has closed the session; it opens again, and may meet the next use half-way.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(
    code="H106",
    package=__name__,
    steps=(Step("POST", "/orders/301/label", wrong=202, right=202),),
    lingers=0.8,
)
