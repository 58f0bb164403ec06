"""Strategies of hypothesis for mapped classes: `from_model` gives instances, `rows` gives rows.

    from harness.strategies import from_model, rows

For whole requests from an application's OpenAPI document use schemathesis, whose examples are isolated as well.
"""

from __future__ import annotations

from harness.strategies.instances import from_model
from harness.strategies.stored import rows

__all__ = ["from_model", "rows"]
