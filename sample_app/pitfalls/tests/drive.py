"""Send a pair's requests to one of its applications, as its users would."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from fastapi.testclient import TestClient
from httpx import ASGITransport, AsyncClient

from sample_app.pitfalls.pair import HUNG_UP

if TYPE_CHECKING:
    from sample_app.pitfalls.pair import Pair, Side, Step


def drive(pair: Pair, side: Side) -> list[int]:
    """Send the requests to the blocking routes and return their statuses; an error of the application is a 500."""
    with TestClient(pair.app(side), raise_server_exceptions=False) as client:

        def send(step: Step) -> int:
            time.sleep(step.delay)
            return client.request(step.method, step.path_of("sync"), json=step.body).status_code

        if pair.together:
            with ThreadPoolExecutor(len(pair.steps)) as threads:
                statuses = list(threads.map(send, pair.steps))
        else:
            statuses = [send(step) for step in pair.steps]
        time.sleep(pair.lingers)
    return statuses


async def drive_async(pair: Pair, side: Side) -> list[int]:
    """Send the requests to the async routes and return their statuses; an error of the application is a 500."""
    app = pair.app(side)
    transport = ASGITransport(app=app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), AsyncClient(transport=transport, base_url="http://shop") as client:

        async def send(step: Step) -> int:
            await asyncio.sleep(step.delay)
            request = client.request(step.method, step.path_of("async"), json=step.body)
            try:
                return (await asyncio.wait_for(request, step.patience)).status_code
            except TimeoutError:
                return HUNG_UP

        if pair.together:
            statuses = await asyncio.gather(*(send(step) for step in pair.steps))
        else:
            statuses = [await send(step) for step in pair.steps]
        await asyncio.sleep(pair.lingers)
    return statuses
