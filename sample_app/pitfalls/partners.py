"""Other companies, played by stand-ins: each takes its time to answer, and none needs a network."""

from __future__ import annotations

import asyncio
import time

import httpx

#: How long suppliers think, in seconds.
THINKING = {"kettle": 0.02, "cup": 0.12}
SLOW = 0.3


def delivery_days(sku: str) -> int:
    """Ask a supplier when more of an item would come."""
    time.sleep(SLOW)
    return len(sku)


async def delivery_days_async(sku: str) -> int:
    """Ask a supplier when more of an item would come, without holding the event loop."""
    await asyncio.sleep(SLOW)
    return len(sku)


async def quote(sku: str) -> int:
    """Ask a supplier for a price; each has a pace of its own."""
    await asyncio.sleep(THINKING[sku])
    return len(sku)


async def reserve(sku: str, quantity: int) -> None:
    """Have a supplier keep so many for us."""
    await asyncio.sleep(SLOW)


def print_label(order_id: int) -> None:
    """Print an order's address label."""
    time.sleep(SLOW)


async def print_label_async(order_id: int) -> None:
    """Print an order's address label, without holding the event loop."""
    await asyncio.sleep(SLOW)


def _collect(request: httpx.Request) -> httpx.Response:
    return httpx.Response(202, json={"parcel": "on its way"})


#: A parcel service, called over HTTP.
parcels = httpx.Client(base_url="https://parcels.invalid", transport=httpx.MockTransport(_collect))
async_parcels = httpx.AsyncClient(base_url="https://parcels.invalid", transport=httpx.MockTransport(_collect))
