"""What is sent: requests as the bytes that go over the wire, made before the clock runs.

An event has about 700 bytes and what a shop knows of a purchase: raw e-mail (a third of them as
people type them), raw phone (half E.164, half as people write them), customer id, click id,
address, browser, page and two lines of a cart. No two share an id, an e-mail or a phone, so that
nothing that remembers makes the relay look faster than it is.
"""

from __future__ import annotations

from collections.abc import Iterator

KEY = "bench-key-0123456789abcdef"
PATH = "/v1/events"

_FULL = (
    b'{"event":"Purchase","event_time":%d,"event_id":"order-%010d",'
    b'"user":{"email":"%s","phone":"%s","external_id":"customer-%d",'
    b'"ttclid":"E.C.P.CtMBy2kzNDQ1NzE4LWQ5YmItNGMzYi05ZTkyLWI0ZmQ%010d",'
    b'"ip":"93.184.%d.%d","user_agent":"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) '
    b'AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"},'
    b'"page":{"url":"https://shop.example/checkout/thank-you"},'
    b'"properties":{"currency":"EUR","value":%d.95,"content_type":"product","contents":['
    b'{"content_id":"sku-%d","content_name":"Linen shirt","quantity":1,"price":39.95},'
    b'{"content_id":"sku-%d","content_name":"Leather belt","quantity":2,"price":24.50}]}}'
)
_SMALL = (
    b'{"event":"Purchase","event_time":%d,"event_id":"small-%010d",'
    b'"user":{"external_id":"customer-%d"},"page":{"url":"https://shop.example/"}}'
)
_HEAD = (
    f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
).encode()


def full_event(number: int, at: int) -> bytes:
    """The event number `number`; `at` is its Unix time."""
    email = b"anna.schmidt%d@example.com" if number % 3 else b" Anna.Schmidt%d@Example.COM "
    phone = b"+49151%08d" if number % 2 else b"+49 (151) %08d"
    low = number % 100_000_000
    return _FULL % (
        at,
        number,
        email % number,
        phone % low,
        number,
        number,
        number >> 8 & 255,
        number & 255,
        20 + number % 400,
        number % 5000,
        number % 4999,
    )


def small_event(number: int, at: int) -> bytes:
    """As little as an event may be: for filling a journal, not for measuring rates."""
    return _SMALL % (at, number, number)


class Corpus:
    """Gives requests, never the same event twice."""

    def __init__(self, at: int) -> None:
        """`at` is the events' Unix time."""
        self._at = at
        self._next = 0

    def requests(self, count: int, events: int, *, small: bool = False) -> Iterator[bytes]:
        """`count` requests of `events` each; more than one event is sent as an array."""
        make = small_event if small else full_event
        for _ in range(count):
            first, self._next = self._next, self._next + events
            made = [make(number, self._at) for number in range(first, first + events)]
            body = made[0] if events == 1 else b"[" + b",".join(made) + b"]"
            yield _HEAD % len(body) + body

    def single(self) -> tuple[str, bytes]:
        """A request of one event, and that event's id."""
        number = self._next
        (request,) = self.requests(1, 1)
        return f"order-{number:010d}", request

    def messages(self, count: int) -> Iterator[bytes]:
        """`count` events, as the values of messages."""
        first, self._next = self._next, self._next + count
        for number in range(first, first + count):
            yield full_event(number, self._at)
