"""The application. Importing it builds routes and engines, and connects to nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from sample_app import services
from sample_app.database import AsyncSessionLocal, async_engine, engine, read_engine
from sample_app.routers import async_items, async_orders, async_users, items, orders, stock, users


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Have the catalogue seeded before the first request, and the pools closed after the last."""
    async with AsyncSessionLocal() as session:
        await session.run_sync(services.seed_catalogue)
        await session.commit()
    try:
        yield
    finally:
        await async_engine.dispose()
        for blocking in (engine, read_engine):
            await run_in_threadpool(blocking.dispose)


async def health() -> dict[str, str]:
    """Answer that the process lives; the database is not asked."""
    return {"status": "ok"}


async def answer_not_found(_: Request, error: Exception) -> JSONResponse:
    """Turn a `NotFoundError` into 404."""
    return JSONResponse({"detail": str(error)}, status_code=404)


async def answer_conflict(_: Request, error: Exception) -> JSONResponse:
    """Turn a `ConflictError` into 409."""
    return JSONResponse({"detail": str(error)}, status_code=409)


def create_app() -> FastAPI:
    """Build the shop."""
    shop = FastAPI(title="Shop", lifespan=lifespan)
    shop.add_exception_handler(services.NotFoundError, answer_not_found)
    shop.add_exception_handler(services.ConflictError, answer_conflict)
    shop.add_api_route("/health", health)
    for module in (users, items, orders, async_users, async_items, async_orders, stock):
        shop.include_router(module.router)
    return shop


app = create_app()
