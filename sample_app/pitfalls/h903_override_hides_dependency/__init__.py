"""The tests replace `get_db`, so what is wrong in it never runs in a test.

Here it commits after its `yield` (H203). Replaced by the tests' own session, it looks tested and is not.
"""

from sample_app.pitfalls.pair import SYNC, Pair

PAIR = Pair(code="H903", package=__name__, variants=SYNC)
