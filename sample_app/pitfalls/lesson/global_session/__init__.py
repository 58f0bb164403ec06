"""Using a global session object shared by all requests.

Root cause: misunderstanding that sessions are not thread-safe and must be created per request.
"""

from sample_app.pitfalls.pair import SYNC, Pair, Step

PAIR = Pair(
    code="H101",
    package=__name__,
    variants=SYNC,
    steps=(Step("GET", "/items"), Step("GET", "/items")),
    graph=True,
)
