"""The yardstick, a process of its own: `python -m tests.bench.bare PORT`.

aiohttp and uvloop, one route that reads the body, parses it and answers a constant.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import orjson
import uvloop
from aiohttp import web

from tests.bench.corpus import PATH

_CONSTANT = orjson.dumps({"request_id": "0123456789abcdef01234567", "accepted": 0, "invalid": []})


async def _take(request: web.Request) -> web.Response:
    orjson.loads(await request.read())
    return web.Response(status=202, body=_CONSTANT, content_type="application/json")


async def serve(port: int) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    app = web.Application(client_max_size=16_000_000)
    app.router.add_post(PATH, _take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
