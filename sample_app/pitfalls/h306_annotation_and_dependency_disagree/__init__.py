"""The parameter says `Session`, the dependency gives an `AsyncSession`.

A half-finished migration: the type checker believes the annotation, so a forgotten `await` is no longer seen.
"""

from sample_app.pitfalls.pair import ASYNC, Pair, Step

PAIR = Pair(code="H306", package=__name__, variants=ASYNC, steps=(Step("GET", "/users"),))
