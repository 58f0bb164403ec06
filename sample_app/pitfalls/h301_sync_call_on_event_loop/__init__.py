"""An `async def` endpoint uses a blocking session: while the database works, every other request waits.

When the pool is empty too, the process stands still until `pool_timeout`.
"""

from sample_app.pitfalls.pair import ASYNC, Pair, Step

PAIR = Pair(code="H301", package=__name__, variants=ASYNC, steps=(Step("GET", "/items/kettle"),), graph=True)
