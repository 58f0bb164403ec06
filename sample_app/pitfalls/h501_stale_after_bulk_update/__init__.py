"""A bulk UPDATE goes past the objects that the session has in memory, and one of them is answered.

The database has four kettles left, the answer says five. (With sessions that expire on commit the next read would
notice; async sessions do not expire, and many blocking ones are told not to.)
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H501", package=__name__, steps=(Step("POST", "/items/kettle/sell"),))
