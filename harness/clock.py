"""The one clock by which harness measures and waits."""

from __future__ import annotations

import time
from functools import partial

#: Seconds, only for differences and order. A partial, because libraries that freeze the time for a test look for the
#: clock's own functions in every module, and what happened must stay in order, and waits must run out, also then.
now = partial(time.perf_counter)

#: Seconds since 1970, for what a database is told. A partial for the same reason.
wall = partial(time.time)
