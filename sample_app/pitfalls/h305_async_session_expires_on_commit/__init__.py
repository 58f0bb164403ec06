"""The factory leaves `expire_on_commit` on, so after a commit every attribute would have to be awaited.

It works until somebody reads one: then it is H302.
"""

from sample_app.pitfalls.pair import ASYNC, Pair

PAIR = Pair(code="H305", package=__name__, variants=ASYNC)
