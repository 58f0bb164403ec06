"""Each request makes an engine, so each has a pool of its own, and connects anew.

The pools of finished requests keep their connections until they are garbage: the server runs out of them.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H406", package=__name__, steps=(Step("GET", "/items"), Step("GET", "/items")), graph=True)
