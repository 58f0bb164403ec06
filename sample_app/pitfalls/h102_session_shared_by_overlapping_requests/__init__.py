"""A service object keeps one session, and two requests are in it at the same time.

Sessions are neither thread-safe nor task-safe: now and then one request fails with the other's error.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(
    code="H102",
    package=__name__,
    steps=(Step("GET", "/availability/kettle"), Step("GET", "/availability/cup", delay=0.1)),
    together=True,
)
