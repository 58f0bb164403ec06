"""Tasks that live at the same time share the request's session; that their statements did not meet was luck.

A supplier who answers sooner, or later, and the same code fails.
"""

from sample_app.pitfalls.pair import ASYNC, Pair, Step

PAIR = Pair(code="H104", package=__name__, variants=ASYNC, steps=(Step("GET", "/offers"),))
