"""What happens in the demo, act by act."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson

from relay.clock import SystemClock
from relay.demo import accounts, payloads
from relay.demo.http import Books, Request, Senders
from relay.demo.payloads import Person
from relay.demo.relay_process import RelayProcess
from relay.demo.screen import Screen, told
from relay.errors import RelayError
from relay.model import Outcome
from relay.sandbox.http import Running
from relay.sandbox.profiles import plan_from
from relay.sandbox.settings import AccessPlan, TokenRule

_CLOCK = SystemClock()

#: Longer than anything here takes on a slow machine.
_PATIENCE_S = 60.0


class StoryFailed(RelayError):
    """Something that the demo waited for did not happen."""


class Acts:
    """One performance. `planted` counts what was made to end so."""

    def __init__(
        self, screen: Screen, sandbox: Running, relay: RelayProcess, senders: Senders
    ) -> None:
        self.sandbox = sandbox
        self.relay = relay
        self.senders = senders
        self.planted: Counter[Outcome] = Counter()
        self._screen = screen
        self._numbers = itertools.count(1)
        self._people = 0

    @property
    def identifiers(self) -> int:
        """How many identifiers were sent: e-mail, phone, customer id and name of everybody."""
        return 4 * self._people

    async def play(self) -> None:
        """All acts. Raises `RelayError` when the story cannot go on."""
        await self._start()
        await self._shops()
        await self._backend()
        await self._trouble()
        await self._token()
        await self._file()
        await self._crash()
        with self._screen.waiting("the rest is delivered"):
            await self._until(self._nothing_waits, "everything to be delivered")
        repeats = self.sandbox.world.received.totals.repeats
        self._screen.line(
            "TikTok", f"recognised {repeats:,} events that came again, and dropped them"
        )

    def _buyers(self, count: int) -> list[Person]:
        self._people += count
        return [payloads.person(next(self._numbers)) for _ in range(count)]

    # --- the acts ---------------------------------------------------------------------------------

    async def _start(self) -> None:
        self._screen.act("A relay starts, and a strict stand-in for TikTok's API")
        with self._screen.waiting("starting"):
            seconds = await self.relay.start()
        self._screen.line("relay", f"{self.relay.url}, ready in {seconds:.1f} s")
        self._screen.line("TikTok", self.sandbox.base_url)

    async def _shops(self) -> None:
        self._screen.act("Three shops send signed webhooks")
        for requests in (self._shopify(), self._woocommerce()):
            await self.senders.send(requests)
        self._screen.line(
            "shopify",
            "60 orders, 12 of them told twice; checkouts, sign-ups; a refund, a test order",
        )
        self._screen.line("woocommerce", "40 orders: unpaid, then paid, and 20 of them told again")
        await self.senders.send(self._stripe())
        self._screen.line("stripe", "20 payments, 10 of them for orders that WooCommerce told of")
        books = self.senders.books
        answered = sum(book.requests - book.refused for book in books.values())
        forged = sum(book.refused for book in books.values())
        self._screen.line("answers", f"{answered} times 2xx, {forged} forged or stale ones 401")

    def _shopify(self) -> list[Request]:
        now, send = _CLOCK.now(), self.senders.shopify
        buyers = self._buyers(60)
        orders = [send(payloads.shopify_order(each, now=now), "orders/create") for each in buyers]
        again = orders[::5]
        self.planted[Outcome.DUPLICATE] += len(again)
        paid = [
            send(payloads.shopify_order(each, now=now, kind="orders_paid"), "orders/paid", events=0)
            for each in buyers[::4]
        ]
        checkouts = [
            send(payloads.shopify_checkout(each, now=now), "checkouts/create")
            for each in buyers[::6]
        ]
        sign_ups = [
            send(payloads.shopify_customer(each, now=now), "customers/create")
            for each in buyers[::10]
        ]
        tester = self._buyers(1)[0]
        test = payloads.shopify_order(tester, now=now, kind="orders_create_test")
        refund = payloads.recorded(
            "shopify/refunds_create", happened="2026-08-25T10:00:00+02:00", now=now
        )
        forged = send(payloads.shopify_order(tester, now=now), "orders/create", forged=True)
        others = [send(test, "orders/create", events=0), send(refund, "refunds/create", events=0)]
        return [*orders, *again, *paid, *checkouts, *sign_ups, *others, forged]

    def _woocommerce(self) -> list[Request]:
        now, send = _CLOCK.now(), self.senders.woocommerce
        self._woocommerce_buyers = buyers = self._buyers(40)
        unpaid = [
            send(
                payloads.woocommerce_order(each, now=now, kind="order_created"),
                "order.created",
                events=0,
            )
            for each in buyers
        ]
        paid = [send(payloads.woocommerce_order(each, now=now), "order.updated") for each in buyers]
        again = paid[::2]
        self.planted[Outcome.DUPLICATE] += len(again)
        return [self.senders.woocommerce_ping(), *unpaid, *paid, *again]

    def _stripe(self) -> list[Request]:
        now, send = _CLOCK.now(), self.senders.stripe
        buyers = self._buyers(10)
        same = self._woocommerce_buyers[:10]
        self.planted[Outcome.DUPLICATE] += len(same)
        payments = [
            *(send(payloads.stripe_session(each, now=now), now) for each in buyers),
            *(
                send(payloads.stripe_session(each, now=now, pays_woocommerce=True), now)
                for each in same
            ),
        ]
        stale = send(payloads.stripe_session(buyers[0], now=now), now, stale=True)
        refund = payloads.recorded("stripe/charge.refunded", happened=1787659200, now=now)
        return [*payments, send(refund, now, events=0), stale]

    async def _backend(self) -> None:
        self._screen.act("A backend sends JSON, and an old integration is pointed at the relay")
        now, send = _CLOCK.now(), self.senders
        events = self._purchases("order", 300)
        broken = payloads.broken(self._buyers(10), now=now)
        self.planted[Outcome.INVALID] += len(broken.invalid)
        self.planted[Outcome.WITHHELD] += len(broken.withheld)
        self.planted[Outcome.EXPIRED] += len(broken.expired)
        self.planted[Outcome.DUPLICATE] += 50
        bad = [*broken.invalid, *broken.withheld, *broken.expired]
        await send.send([send.json(part) for part in _parts(events, 50)])
        await send.send([send.json(bad), send.json(events[:50])])
        self._screen.line(
            "/v1/events",
            f"{told(send.answers)} (dirty, hashed, and national identifiers among them)",
        )
        await send.send([send.drop_in(part) for part in _parts(self._purchases("old", 40), 20)])
        self._screen.line(
            "drop-in", "40 events to /open_api/v1.3/event/track/, answered as by TikTok"
        )

    async def _trouble(self) -> None:
        self._screen.act("TikTok slows down, and refuses two events of a batch")
        with self._screen.waiting("the queue empties first"):
            await self._until(self._nothing_waits, "the queue to empty")
        before = Counter(self.sandbox.world.received.codes)
        self._misbehave(
            {"kind": "limit", "per_second": 1, "until_s": 2},
            {"kind": "poison", "rule": {"event_id": "*poison*"}, "names_index": False},
        )
        events = self._purchases("rush", 400)
        for number, event in enumerate(events[170::200]):
            event["event_id"] = f"poison-{number}"
        self.planted[Outcome.REJECTED] += 2
        await self.senders.send([self.senders.json(part) for part in _parts(events, 50)])
        with self._screen.waiting("delivering 400 events"):
            await self._until(self._nothing_waits, "the batch to be delivered")
        codes = Counter(self.sandbox.world.received.codes) - before
        self._screen.line(
            "throttled", f"{codes['40100']} times 40100: the lane slowed down by itself"
        )
        self._screen.line(
            "refused", f"{codes['40002']} times 40002: halved until two stood alone; 398 delivered"
        )
        self._misbehave()

    async def _token(self) -> None:
        self._screen.act("The token is revoked")
        old = self.relay.folder.joinpath("token").read_text("utf-8")
        rule = TokenRule.model_validate({"token": old, "state": "revoked"})
        self.sandbox.world.access.change(AccessPlan(tokens=(rule,)))
        await self.senders.send([self.senders.json(self._purchases("wait", 100))])
        with self._screen.waiting("the lane pauses"):
            await self._until(lambda: self._lane_is("paused_credential"), "the lane to pause")
        waiting = await self._waiting()
        self._screen.line("paused", f"40105: {waiting} events wait in the journal, and 2xx go on")
        self.relay.renew_token()
        began = _CLOCK.monotonic()
        with self._screen.waiting("a new token is put in place"):
            await self._until(self._nothing_waits, "the lane to go on")
        seconds = _CLOCK.monotonic() - began
        self._screen.line("resumed", f"{seconds:.1f} s after the token's file changed; no restart")

    async def _file(self) -> None:
        self._screen.act("A file of sales in stores is imported, twice")
        people, nobodies = self._buyers(247), self._buyers(3)
        self.planted[Outcome.INVALID] += len(nobodies)
        path = self.relay.folder / "tills.csv"
        path.write_bytes(payloads.sales_of_stores(people, nobodies, now=_CLOCK.now()))
        for time in ("first", "again"):
            with self._screen.waiting("relay import"):
                code, out, err = await self.relay.command(
                    "import", str(path), "--source", "tills", "--json", "--allow-invalid"
                )
            if code != 0:
                raise StoryFailed(f"the import failed with {code}: {err.decode()[-1000:]}")
            told_by_import = orjson.loads(out)
            words = ("accepted", "known", "duplicates", "invalid")
            said = ", ".join(f"{told_by_import[w]} {w}" for w in words if told_by_import[w])
            self._screen.line(time, f"250 lines: {said}")
        books = self.senders.books.setdefault("tills", Books())
        books.requests, books.sent, books.acknowledged = 1, 250, 250

    async def _crash(self) -> None:
        self._screen.act("kill -9, while events come in and a batch is on its way")
        self._misbehave({"kind": "latency", "median_s": 1.0})
        books, world = self.senders.books["backend"], self.sandbox.world
        before = books.acknowledged
        waves = _parts(self._purchases("crash", 1200), 20)
        await self.senders.send([self.senders.json(part) for part in waves[:30]])
        with self._screen.waiting("the first batch leaves"):
            await self._until(lambda: world.open_calls > 0, "a batch to be on its way")
        sending = asyncio.create_task(
            self.senders.send([self.senders.json(part) for part in waves[30:]])
        )
        await self._until(lambda: books.acknowledged - before >= 900, "half of the second wave")
        await self.relay.kill()
        await sending
        self._misbehave()
        receipts = books.acknowledged - before
        self._screen.line("killed", f"after receipts for {receipts:,} of 1,200 events")
        held = await asyncio.to_thread(accounts.read, self.relay.journal)
        self._screen.line("on disk", f"{held.of(outcome=accounts.WAITING):,} events that wait")
        with self._screen.waiting("starting again"):
            seconds = await self.relay.start()
        self._screen.line("started", f"again, ready in {seconds:.1f} s, and delivers what waited")
        repeated = await self.senders.send_again()
        self._screen.line("senders", f"repeat the {repeated} requests that got no answer")

    # --- what the acts share ----------------------------------------------------------------------

    def _purchases(self, name: str, count: int) -> list[payloads.Json]:
        now = _CLOCK.now()
        return [
            payloads.purchase(each, f"{name}-{each.number}", now=now)
            for each in self._buyers(count)
        ]

    def _misbehave(self, *faults: dict[str, Any]) -> None:
        plan = plan_from({"faults": list(faults)})
        self.sandbox.world.put_faults(plan, now=_CLOCK.now())

    async def _waiting(self) -> int:
        stats = await self.senders.ask("/api/journal/stats")
        return sum(each["waiting"] for each in stats["destinations"])

    async def _nothing_waits(self) -> bool:
        return await self._waiting() == 0

    async def _lane_is(self, state: str) -> bool:
        lanes = await self.senders.ask("/api/lanes")
        return any(lane["state"] == state for lane in lanes)

    async def _until(self, condition: Callable[[], Any], what: str) -> None:
        """Ask again and again; raises `StoryFailed` when it takes too long."""
        deadline = _CLOCK.monotonic() + _PATIENCE_S
        while True:
            answer = condition()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return
            if _CLOCK.monotonic() > deadline:
                raise StoryFailed(f"waited {_PATIENCE_S:.0f} s for {what}")
            await _CLOCK.sleep(0.02)


def _parts(events: list[payloads.Json], size: int) -> list[list[payloads.Json]]:
    return [events[start : start + size] for start in range(0, len(events), size)]
