"""Somebody mended the endpoint and left the comment."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from sqlalchemy import select

from sample_app.database import Db
from sample_app.models import User
from sample_app.schemas import UserRead

app = FastAPI()


@app.get("/users", response_model=list[UserRead])
def read_users(db: Db) -> Sequence[User]:
    return db.scalars(select(User)).all()  # harness: allow[H502] few users  # <- H901
