"""The dependency commits after its `yield`, which is after the response was sent.

So it is before FastAPI 0.106 and again since 0.118. A client that reads back at once finds nothing, and if the commit
fails, nobody is told.
"""

from sample_app.pitfalls.pair import Pair, Step

EVE = {"email": "eve@example.org", "name": "Eve"}

PAIR = Pair(code="H203", package=__name__, steps=(Step("POST", "/users", EVE, wrong=201, right=201),), graph=True)
