"""An attribute is changed, and the session is closed without a commit.

Nothing was even sent to the database; the answer shows the new value all the same.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H202", package=__name__, steps=(Step("PUT", "/items/kettle/price", {"price": "9.90"}),))
