"""The newest entries first, by a time that PostgreSQL gives them.

In production two transactions have two times. In a test both are inside one real transaction, in which now() stands
still, so which entry comes first is anybody's guess; and in production, too, two may share one moment.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(
    code="H904",
    package=__name__,
    steps=(Step("POST", "/events/first"), Step("POST", "/events/second"), Step("GET", "/events")),
)
