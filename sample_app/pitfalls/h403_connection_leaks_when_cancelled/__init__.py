"""The dependency closes its session after the `yield`, and not in a `finally`.

A client that hangs up cancels the request: what stands after the `yield` never runs, and the connection never returns.
Opt-in, because only a test that cancels a request can meet it.
"""

from sample_app.pitfalls.pair import ASYNC, HUNG_UP, Pair, Step

PAIR = Pair(
    code="H403",
    package=__name__,
    variants=ASYNC,
    steps=(Step("GET", "/availability/kettle", wrong=HUNG_UP, right=HUNG_UP, patience=0.15),),
)
