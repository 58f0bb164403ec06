"""`db.commit()` of an `AsyncSession` without `await` does nothing at all.

Python says so once, with a warning that is easily lost among others.
"""

from sample_app.pitfalls.pair import ASYNC, Pair, Step

EVE = {"email": "eve@example.org", "name": "Eve"}

PAIR = Pair(
    code="H303",
    package=__name__,
    variants=ASYNC,
    steps=(Step("POST", "/users", EVE, wrong=201, right=201),),
    graph=True,
)
