"""The key decides between entries of one moment."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from sample_app.database import AsyncDb, Db
from sample_app.models import AuditEvent

app = FastAPI()


def newest(db: Session) -> list[str]:
    events = select(AuditEvent).order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc())
    return [event.subject for event in db.scalars(events)]


@app.post("/events/{subject}")
def record(db: Db, subject: str) -> None:
    db.add(AuditEvent(kind="seen", subject=subject))
    db.commit()


@app.get("/events")
def read_events(db: Db) -> list[str]:
    return newest(db)


@app.post("/async/events/{subject}")
async def record_async(db: AsyncDb, subject: str) -> None:
    db.add(AuditEvent(kind="seen", subject=subject))
    await db.commit()


@app.get("/async/events")
async def read_events_async(db: AsyncDb) -> list[str]:
    return await db.run_sync(newest)
