"""A real browser, driven over its own protocol (CDP) on a WebSocket: no driver to install."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
)
_START_S = 60


def program() -> str | None:
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def is_available() -> bool:
    return program() is not None


class Tab:
    """One page. `events` are what the browser told meanwhile, in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.events: list[dict[str, Any]] = []

    async def ask(self, method: str, **params: object) -> dict[str, Any]:
        """The answer's result; raises `RuntimeError` with the browser's message."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            message = await self._socket.receive_json(timeout=_START_S)
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(message["error"]["message"])
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    async def run(self, expression: str) -> Any:
        """What an expression of JavaScript is worth. Works on pages that forbid scripts, too."""
        answer = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def open(self, url: str) -> None:
        """Until everything is loaded."""
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.ask(f"{domain}.enable")
        await self.ask("Page.navigate", url=url)
        async with asyncio.timeout(_START_S):
            while not self.told("Page.loadEventFired"):
                self.events.append(await self._socket.receive_json())

    def told(self, method: str) -> list[dict[str, Any]]:
        return [each["params"] for each in self.events if each.get("method") == method]


@asynccontextmanager
async def tab(folder: Path) -> AsyncIterator[Tab]:
    """A browser of its own, with a fresh profile in `folder`."""
    found = program()
    assert found is not None
    process = await asyncio.create_subprocess_exec(
        found,
        *_FLAGS,
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(folder / "DevToolsActivePort", process)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = [each for each in await answer.json() if each["type"] == "page"]
            address = pages[0]["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as socket:
                yield Tab(socket)
                await socket.send_json({"id": 0, "method": "Browser.close"})
    finally:
        await _end(process)


async def _port(file: Path, process: asyncio.subprocess.Process) -> int:
    """The browser writes down which one it took."""
    async with asyncio.timeout(_START_S):
        while (port := _written(file)) is None:
            if process.returncode is not None:
                raise RuntimeError(f"the browser left with {process.returncode}")
            await asyncio.sleep(0.02)
    return port


def _written(file: Path) -> int | None:
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return None
    return int(lines[0]) if len(lines) > 1 else None


async def _end(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
