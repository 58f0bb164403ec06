"""The dependency commits in its `finally`, so also when the endpoint has failed half-way.

The order is refused for want of cups, and the kettle is taken off the stock all the same.
"""

from sample_app.pitfalls.pair import Pair, Step

TOO_MANY = {"user_id": 101, "lines": [{"sku": "kettle", "quantity": 1}, {"sku": "cup", "quantity": 99}]}

PAIR = Pair(code="H205", package=__name__, steps=(Step("POST", "/orders", TOO_MANY, wrong=409, right=409),), graph=True)
