"""A helper hands out a session that is closed already.

`next(get_db())` drops the generator, whose `finally` closes the session; a `return` out of a `with` block does the
same. The next statement silently opens the session again, and nobody will close it: the connection stays out.
"""

from sample_app.pitfalls.pair import Pair, Step

PAIR = Pair(code="H107", package=__name__, steps=(Step("GET", "/users/101"),))
