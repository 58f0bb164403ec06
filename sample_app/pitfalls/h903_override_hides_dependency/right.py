"""What production runs; a test that replaces it hides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from sample_app.database import SessionLocal
from sample_app.models import User
from sample_app.schemas import UserCreate, UserRead

app = FastAPI()


def get_db() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db


@app.post("/users", status_code=201, response_model=UserRead)
def create_user(data: UserCreate, db: Annotated[Session, Depends(get_db)]) -> User:
    user = User(**data.model_dump())
    db.add(user)
    db.commit()
    db.refresh(user)
    return user
