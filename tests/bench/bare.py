"""The yardstick: a bare asynchronous client that makes the same requests, and prints how long they took.

``python -m tests.bench.bare CONCURRENCY``, with BITBUCKET_URL, BITBUCKET_USERNAME and BITBUCKET_PASSWORD.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import typing as t

import aiohttp


async def projects(session: aiohttp.ClientSession) -> list[str]:
    keys: list[str] = []
    start: int | None = 0
    while start is not None:
        query: dict[str, t.Any] = {"permission": "PROJECT_ADMIN", "start": start, "limit": 1000}
        async with session.get("/rest/api/latest/projects", params=query) as answer:
            page = await answer.json()
        keys += [project["key"] for project in page["values"]]
        start = None if page["isLastPage"] else page["nextPageStart"]
    return keys


async def tokens(session: aiohttp.ClientSession, keys: list[str], concurrency: int) -> int:
    """Each project's listing, ``concurrency`` at a time; the number of tokens in them."""
    waiting = iter(keys)
    found = 0

    async def worker() -> None:
        nonlocal found
        for key in waiting:
            path = f"/rest/access-tokens/latest/projects/{key}?start=0&limit=1000"
            async with session.get(path) as answer:
                found += len((await answer.json())["values"])

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return found


async def main() -> None:
    login = aiohttp.BasicAuth(os.environ["BITBUCKET_USERNAME"], os.environ["BITBUCKET_PASSWORD"])
    started = time.perf_counter()
    async with aiohttp.ClientSession(os.environ["BITBUCKET_URL"], auth=login) as session:
        found = await tokens(session, await projects(session), int(sys.argv[1]))
    print(found, time.perf_counter() - started)


if __name__ == "__main__":
    asyncio.run(main())
