"""The commit after the response fails: the client was told 201, and there is no such user.

The server's log has an IntegrityError, and no answer can be taken back. Where the commit stands is H203 in itself.
"""

from sample_app.pitfalls.pair import Pair, Step

ANN_AGAIN = {"email": "ann@example.org", "name": "Another Ann"}

PAIR = Pair(code="H204", package=__name__, steps=(Step("POST", "/users", ANN_AGAIN, wrong=201, right=409),))
