"""One session, opened when the application starts, serves every request.

What one request has not committed the next one sees, and commits or rolls back; and the connection never returns.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H101", package=__name__, steps=(Step("GET", "/items"), Step("GET", "/items")))
