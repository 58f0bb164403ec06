"""Opened in a block, which closes the connection."""

from __future__ import annotations

from fastapi import FastAPI

from sample_app.database import async_engine, engine

app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    with engine.connect():
        pass
    return {"database": "is there"}


@app.get("/async/health")
async def health_async() -> dict[str, str]:
    async with async_engine.connect():
        pass
    return {"database": "is there"}
