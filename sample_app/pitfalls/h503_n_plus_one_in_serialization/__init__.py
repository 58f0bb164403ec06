"""The endpoint has one statement; the response model touches a relationship of each row and makes the others.

No line of the application looks wrong. (In async code the same is an error, see H302.)
"""

from sample_app.pitfalls.pair import SYNC, Pair, Step

PAIR = Pair(code="H503", package=__name__, variants=SYNC, steps=(Step("GET", "/orders"),))
