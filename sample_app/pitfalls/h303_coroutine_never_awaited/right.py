"""Nobody forgot a word."""

from __future__ import annotations

from fastapi import FastAPI

from sample_app.database import AsyncDb
from sample_app.models import User
from sample_app.schemas import UserCreate

app = FastAPI()


@app.post("/async/users", status_code=201)
async def create_user(data: UserCreate, db: AsyncDb) -> dict[str, str]:
    db.add(User(**data.model_dump()))
    await db.commit()
    return {"registered": data.email}
