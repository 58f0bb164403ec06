"""Background tasks that remember what happened.

A task runs after the answer, when the request's session is closed or about to be: it opens its own.
"""

from __future__ import annotations

from sample_app.database import AsyncSessionLocal, SessionLocal
from sample_app.models import AuditEvent


def record(kind: str, subject: str) -> None:
    """Write one audit event."""
    with SessionLocal() as session:
        session.add(AuditEvent(kind=kind, subject=subject))
        session.commit()


async def record_async(kind: str, subject: str) -> None:
    """Write one audit event, from an async route."""
    async with AsyncSessionLocal() as session:
        session.add(AuditEvent(kind=kind, subject=subject))
        await session.commit()
