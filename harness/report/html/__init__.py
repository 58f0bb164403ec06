"""One page that a browser opens from disk: findings beside the code they are about, and what requests did when."""

from __future__ import annotations

from harness.report.html.page import render

__all__ = ["render"]
