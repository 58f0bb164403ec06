"""Opened, and forgotten."""

from __future__ import annotations

from fastapi import FastAPI

from sample_app.database import async_engine, engine

app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    engine.connect()  # <- H402
    return {"database": "is there"}


@app.get("/async/health")
async def health_async() -> dict[str, str]:
    await async_engine.connect()  # <- H402 (async)
    return {"database": "is there"}
