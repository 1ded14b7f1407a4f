"""A customer of the shop. Values only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from hashlib import sha256
from typing import NamedTuple


class Kind(IntEnum):
    """How a person met an ad. A higher one beats a lower one."""

    MODELLED = 0
    VIEW = 1
    ENGAGED = 2
    CLICK = 3


class Touch(NamedTuple):
    at: float
    kind: Kind
    ad_id: str
    ttclid: str | None

    @property
    def rank(self) -> tuple[int, float]:
        return self.kind, self.at


class Step(NamedTuple):
    """Something a person does in the shop; `value` is in minor units of the shop's currency."""

    event: str
    at: float
    event_id: str
    value: int
    order_id: str | None = None


class Person(NamedTuple):
    """Somebody who was in the shop.

    touches         ads that they met, last the one that led them here
    knows_contact   the shop knows e-mail and phone from the start, not only once they order
    has_click_id    the click's id is still there when they act
    has_address     the parameters of the address they landed on are
    blocks          their browser reports nothing
    denies          they do not want to be tracked
    matchable       TikTok knows who they are by any of `keys`
    roll            chance, for whoever needs some
    """

    number: int
    touches: Sequence[Touch]
    steps: Sequence[Step]
    email: str | None
    phone: str | None
    external_id: str
    ttp: str
    ip: str
    user_agent: str
    knows_contact: bool
    has_click_id: bool
    has_address: bool
    blocks: bool
    denies: bool
    matchable: bool
    roll: float

    @property
    def ttclid(self) -> str | None:
        """The click id that events carry."""
        return self.touches[-1].ttclid if self.has_click_id else None

    @property
    def clicked(self) -> bool:
        return bool(self.touches) and self.touches[-1].ttclid is not None

    @property
    def is_known(self) -> bool:
        """Would TikTok find an ad that they met by `keys`?"""
        return bool(self.touches) and self.matchable

    def keys(self) -> Iterator[str]:
        """What an event may carry of this person, hashed as TikTok wants it."""
        yield self.ttp
        for text in (self.email, self.phone, self.external_id):
            if text is not None:
                yield sha256(text.encode()).hexdigest()
