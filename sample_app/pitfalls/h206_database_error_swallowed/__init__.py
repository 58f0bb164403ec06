"""A commit fails, the error is caught, and the answer is a success.

The failure has taken everything along that the session had written, here the record of the visit; and until somebody
rolls back, the session refuses all further work.
"""

from sample_app.pitfalls.pair import Pair, Step

ANN_AGAIN = {"email": "ann@example.org", "name": "Ann"}

PAIR = Pair(code="H206", package=__name__, steps=(Step("POST", "/newsletter", ANN_AGAIN),))
