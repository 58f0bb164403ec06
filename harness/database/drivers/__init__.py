"""One file per DBAPI driver: how to open the one real connection that all engines of a test share.

Nothing here knows about isolation. A `Physical` is a DBAPI connection that can be called synchronously from any
thread, whatever the driver is underneath.
"""

from __future__ import annotations

from harness.database.drivers.choice import Driver, application_drivers, driver_named, drivers_for, family, installed
from harness.database.drivers.physical import Physical

__all__ = ["Driver", "Physical", "application_drivers", "driver_named", "drivers_for", "family", "installed"]
