"""The yardstick: a bare asynchronous client that makes the same requests, and prints how long they took.

``python -m tests.bench.bare CONCURRENCY [rotate]``, with BITBUCKET_URL, BITBUCKET_USERNAME and BITBUCKET_PASSWORD.
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


async def rotate(session: aiohttp.ClientSession, keys: list[str], concurrency: int) -> int:
    """Replace every token without grace, with no request that is not needed; the number of replaced tokens.

    A project is listed, each token created, tried, and revoked once the project's new listing shows its successor.
    """
    waiting = iter(keys)
    replaced = 0

    async def worker() -> None:
        nonlocal replaced
        for key in waiting:
            path = f"/rest/access-tokens/latest/projects/{key}"
            async with session.get(f"{path}?start=0&limit=1000") as answer:
                old = (await answer.json())["values"]
            for token in old:
                await _replace(session, path, token)
            async with session.get(f"{path}?start=0&limit=1000") as answer:
                assert len((await answer.json())["values"]) == 2 * len(old)
            for token in old:
                async with session.delete(f"{path}/{token['id']}") as answer:
                    answer.raise_for_status()
            replaced += len(old)

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return replaced


async def _replace(session: aiohttp.ClientSession, path: str, token: dict[str, t.Any]) -> None:
    body = {"name": token["name"], "permissions": token["permissions"], "expiryDays": 90}
    async with session.put(path, json=body) as answer:
        answer.raise_for_status()
        secret = (await answer.json())["token"]
    headers = {"Authorization": f"Bearer {secret}"}
    async with session.get("/rest/api/latest/application-properties", headers=headers) as answer:
        answer.raise_for_status()


async def main() -> None:
    login = aiohttp.BasicAuth(os.environ["BITBUCKET_USERNAME"], os.environ["BITBUCKET_PASSWORD"])
    work = rotate if sys.argv[2:] == ["rotate"] else tokens
    started = time.perf_counter()
    headers = {"Authorization": login.encode(), "X-Atlassian-Token": "no-check"}
    async with aiohttp.ClientSession(os.environ["BITBUCKET_URL"], headers=headers) as session:
        found = await work(session, await projects(session), int(sys.argv[1]))
    print(found, time.perf_counter() - started)


if __name__ == "__main__":
    asyncio.run(main())
