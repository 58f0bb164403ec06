"""Both say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_app.database import get_async_db
from sample_app.models import User
from sample_app.schemas import UserRead

app = FastAPI()


@app.get("/async/users", response_model=list[UserRead])
async def read_users(db: Annotated[AsyncSession, Depends(get_async_db)]) -> Sequence[User]:
    return (await db.scalars(select(User))).all()
