"""A loop touches a relationship of each row, and each touch is a SELECT: one for the orders, and one per order.

Two orders in a test are three statements; two thousand in production are two thousand and one.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H502", package=__name__, steps=(Step("GET", "/buyers"),))
