"""The commit after the response fails: the client was told 201, and there is no such user.

The server's log has an IntegrityError, and no answer can be taken back. Where the commit stands is H203 in itself.
"""

from fastapi import __version__

from sample_app.pitfalls.pair import Pair, Step

ANN_AGAIN = {"email": "ann@example.org", "name": "Another Ann"}

# FastAPI 0.106 to 0.117 ended dependencies before the response: there the failure is told.
TOLD = 500 if 106 <= int(__version__.split(".")[1]) < 118 else 201

PAIR = Pair(code="H204", package=__name__, steps=(Step("POST", "/users", ANN_AGAIN, wrong=TOLD, right=409),))
