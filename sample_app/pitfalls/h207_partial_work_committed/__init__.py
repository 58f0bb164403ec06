"""One request commits several times, and fails in the end: what it had committed stays.

There are not so many cups: taking them breaks a constraint and the answer is 500. The account and an empty order are
there all the same, and the guest who tries again is told that the email is taken.
"""

from sample_app.pitfalls.pair import Pair, Step

TOO_MANY = {"email": "eve@example.org", "sku": "cup", "quantity": 99}

PAIR = Pair(code="H207", package=__name__, steps=(Step("POST", "/guests/orders", TOO_MANY, wrong=500, right=500),))
