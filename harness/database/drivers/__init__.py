"""One file per DBAPI driver: how to open the one real connection that all engines of a test share.

Nothing here knows about isolation. A `Physical` is a DBAPI connection that can be called synchronously from any
thread, whatever the driver is underneath.
"""

from __future__ import annotations

from harness.database.drivers.choice import Driver, driver_named, drivers_for, installed
from harness.database.drivers.physical import Physical

__all__ = ["Driver", "Physical", "driver_named", "drivers_for", "installed"]
