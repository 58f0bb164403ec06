"""The error is expected, and the transaction rolled back."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy.exc import IntegrityError

from sample_app.database import AsyncDb, Db
from sample_app.models import AuditEvent, User
from sample_app.schemas import UserCreate

app = FastAPI()


@app.post("/newsletter")
def subscribe(data: UserCreate, db: Db) -> dict[str, str]:
    db.add(AuditEvent(kind="newsletter", subject=data.email))
    db.add(User(**data.model_dump()))
    try:
        db.commit()
    except IntegrityError:
        db.rollback()
        return {"status": "subscribed before"}
    return {"status": "subscribed"}


@app.post("/async/newsletter")
async def subscribe_async(data: UserCreate, db: AsyncDb) -> dict[str, str]:
    db.add(AuditEvent(kind="newsletter", subject=data.email))
    db.add(User(**data.model_dump()))
    try:
        await db.commit()
    except IntegrityError:
        await db.rollback()
        return {"status": "subscribed before"}
    return {"status": "subscribed"}
