"""Forty `def` endpoints may run at once, and the pool has five connections.

In a full house thirty-five requests wait for a connection, and those that wait for longer than `pool_timeout` fail.
"""

from sample_app.pitfalls.pair import SYNC, Pair

PAIR = Pair(code="H408", package=__name__, variants=SYNC)
