"""The write is sent to the database, and nobody commits it.

The answer says 201 and shows the new user with an id; closing the session discards the row. A test that looks with the
application's own session still sees it.
"""

from sample_app.pitfalls.pair import Pair, Step

EVE = {"email": "eve@example.org", "name": "Eve"}

PAIR = Pair(code="H201", package=__name__, steps=(Step("POST", "/users", EVE, wrong=201, right=201),))
