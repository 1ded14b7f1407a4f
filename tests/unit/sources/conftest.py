"""Fixtures: real-shaped payloads and signature vectors, and a memory in place of the journal's."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from relay.sources import registry
from relay.sources.protocol import Conversions, Reading, Source

VECTORS = Path(__file__).parents[2] / "vectors"
NOW = 1787227430.0


class Vector(NamedTuple):
    """One signed (or wrongly signed) request."""

    platform: str
    name: str
    valid: bool
    secrets: Sequence[str]
    headers: Mapping[str, str]
    body: bytes
    now: float


class Memory(dict[bytes, bytes]):
    """Remembers as the journal does: what a reading gives is kept when it is accepted."""

    def accept(self, reading: Reading) -> Reading:
        if isinstance(reading, Conversions):
            self.update(reading.remember)
        return reading


def _vectors() -> list[Vector]:
    stored = json.loads((VECTORS / "signature_vectors.json").read_bytes())["vectors"]
    return [
        Vector(
            each["platform"],
            each["name"],
            each["valid"],
            each["secret"],
            {name.lower(): value for name, value in each["headers"].items()},
            base64.b64decode(each["body_b64"]),
            each.get("now", NOW),
        )
        for each in stored
    ]


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], list[Vector]]:
    """The signature vectors of one platform."""
    every = _vectors()
    return lambda platform: [vector for vector in every if vector.platform == platform]


@pytest.fixture(scope="session")
def payload() -> Callable[[str], bytes]:
    """The bytes of a fixture, as `shopify/orders_create.json`."""
    return lambda name: (VECTORS / "fixtures" / name).read_bytes()


@pytest.fixture(scope="session")
def expected() -> Mapping[str, Mapping[str, Any]]:
    """What each fixture should become, by its name."""
    stored = json.loads((VECTORS / "expected_events.json").read_bytes())["expected"]
    return {each["fixture"]: each for each in stored}


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def read() -> Callable[..., Reading]:
    """Read a payload (bytes, or a value to be written as JSON) as a verified message."""

    def read_with(
        source: Source, body: object, *, memory: Memory | None = None, **headers: str
    ) -> Reading:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        recall = Memory() if memory is None else memory
        return recall.accept(source.read(raw, named, now=NOW, recall=recall.get))

    return read_with


@pytest.fixture
def make() -> Callable[..., Source]:
    """A configured source, by kind and options."""

    def made(kind: str, *secrets: str, name: str = "shop", **options: object) -> Source:
        return registry.build(kind, name, secrets or ("a-secret",), options)

    return made
