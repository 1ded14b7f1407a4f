"""The demo's senders: they post, repeat what got no answer, and remember what was promised."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from relay.demo import signing
from relay.demo.relay_process import PIXEL, RelayProcess

#: Senders of real life have a few connections each.
_CONNECTIONS = 8
_TIMEOUT = aiohttp.ClientTimeout(total=20)


@dataclass(slots=True)
class Books:
    """What one source's senders did: `sent` and `acknowledged` count events that a 2xx is to stand
    for, `nothing` messages that report no conversion, `refused` those that were forged."""

    requests: int = 0
    sent: int = 0
    acknowledged: int = 0
    nothing: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One request: how many events its 2xx stands for, and whether it may be refused (401)."""

    source: str
    path: str
    body: bytes
    headers: Mapping[str, str]
    events: int
    is_forged: bool = False


@dataclass
class Senders:
    """All senders of the demo. `receipts` are the request ids of the relay's JSON answers."""

    relay: RelayProcess
    session: aiohttp.ClientSession
    books: dict[str, Books] = field(default_factory=dict)
    receipts: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    unanswered: list[Request] = field(default_factory=list)

    # --- requests ---------------------------------------------------------------------------------

    def shopify(
        self, payload: object, topic: str, *, events: int = 1, forged: bool = False
    ) -> Request:
        body = orjson.dumps(payload)
        secret = "guessed" if forged else self.relay.environ["DEMO_SECRET_SHOPIFY"]
        headers = signing.shopify(body, topic, secret)
        return Request("shopify", "/webhooks/shopify", body, headers, events, forged)

    def woocommerce(self, payload: object, topic: str, *, events: int = 1) -> Request:
        body = orjson.dumps(payload)
        headers = signing.woocommerce(body, topic, self.relay.environ["DEMO_SECRET_WOOCOMMERCE"])
        return Request("woocommerce", "/webhooks/woocommerce", body, headers, events)

    def woocommerce_ping(self) -> Request:
        """What WooCommerce sends when a webhook is made: a form, not signed."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Request("woocommerce", "/webhooks/woocommerce", b"webhook_id=7", headers, 0)

    def stripe(
        self, payload: object, at: float, *, events: int = 1, stale: bool = False
    ) -> Request:
        body = orjson.dumps(payload)
        signed_at = int(at) - (3600 if stale else 0)
        headers = signing.stripe(body, signed_at, self.relay.environ["DEMO_SECRET_STRIPE"])
        return Request("stripe", "/webhooks/stripe", body, headers, events, stale)

    def json(self, events: Sequence[object]) -> Request:
        headers = {
            "Authorization": f"Bearer {self.relay.environ['DEMO_KEY_BACKEND']}",
            "Content-Type": "application/json",
        }
        return Request("backend", "/v1/events", orjson.dumps(events), headers, len(events))

    def drop_in(self, events: Sequence[object]) -> Request:
        """As an integration made for TikTok sends it: only its address and its token changed."""
        body = {"event_source": "web", "event_source_id": PIXEL, "data": events}
        headers = {
            "Access-Token": self.relay.environ["DEMO_KEY_BACKEND"],
            "Content-Type": "application/json",
        }
        path = "/open_api/v1.3/event/track/"
        return Request("backend", path, orjson.dumps(body), headers, len(events))

    # --- sending ----------------------------------------------------------------------------------

    async def send(self, requests: Sequence[Request]) -> None:
        """Send all, several at a time; each counts as sent once."""
        for request in requests:
            books = self._books(request)
            books.requests += 1
            books.sent += 0 if request.is_forged else request.events
        await self._post_all(requests)

    async def send_again(self) -> int:
        """Repeat what got no answer, as senders do; how many requests that were."""
        requests, self.unanswered = self.unanswered, []
        await self._post_all(requests)
        return len(requests)

    async def _post_all(self, requests: Sequence[Request]) -> None:
        left = iter(requests)

        async def work() -> None:
            for request in left:
                await self._post(request)

        await asyncio.gather(*(work() for _ in range(_CONNECTIONS)))

    async def _post(self, request: Request) -> None:
        url = self.relay.url + request.path
        try:
            async with self.session.post(
                url, data=request.body, headers=request.headers, timeout=_TIMEOUT
            ) as answer:
                self._book(request, answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError):
            self.unanswered.append(request)

    def _book(self, request: Request, status: int, body: bytes) -> None:
        books = self._books(request)
        if request.is_forged and status == 401:
            books.refused += 1
        elif status // 100 != 2:
            self.unanswered.append(request)
        else:
            books.acknowledged += request.events
            books.nothing += request.events == 0
            self._note(orjson.loads(body) if body else {})

    def _note(self, answer: Mapping[str, Any]) -> None:
        if answer.get("request_id"):
            self.receipts.add(answer["request_id"])
        for word in ("accepted", "duplicates", "ended"):
            self.answers[word] += answer.get(word, 0)
        self.answers["invalid"] += len(answer.get("invalid", ()))

    def _books(self, request: Request) -> Books:
        return self.books.setdefault(request.source, Books())

    # --- what it asks of the relay ----------------------------------------------------------------

    async def ask(self, path: str) -> Any:
        """JSON from the operator's listener."""
        async with self.session.get(self.relay.operator_url + path, timeout=_TIMEOUT) as answer:
            return orjson.loads(await answer.read())
