"""Whether it adds up. Three parties counted, each for itself: the senders, the journal, TikTok's
stand-in. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from relay.demo.accounts import WAITING, Accounts
from relay.model import Outcome


class Equation(NamedTuple):
    """Two numbers that must be equal; `says` is the sentence for both."""

    says: str
    left: int
    right: int

    @property
    def holds(self) -> bool:
        return self.left == self.right


@dataclass(frozen=True, slots=True)
class Promised:
    """What the senders know. `sent` events and `acknowledged` ones, by source; `request_ids` of the
    JSON senders' receipts; `planted`: how many were made to end so."""

    sent: Mapping[str, int]
    acknowledged: Mapping[str, int]
    request_ids: frozenset[str]
    planted: Counter[Outcome]


@dataclass(frozen=True, slots=True)
class Received:
    """What TikTok's stand-in knows: how many events had an effect."""

    effects: int


@dataclass(frozen=True, slots=True)
class Searched:
    """The search of everything the relay wrote for identifiers as people write them."""

    identifiers: int
    found: int
    size_bytes: int


def unanswered(promised: Promised, accounts: Accounts, source: str) -> int:
    """Events of this source that are stored although their answer never arrived: the relay was
    killed between the two. Their senders sent them again."""
    return sum(
        count
        for (its_source, receipt), count in accounts.receipts.items()
        if its_source == source
        and receipt.startswith("http:")
        and receipt.removeprefix("http:") not in promised.request_ids
    )


def equations(
    promised: Promised, accounts: Accounts, received: Received, searched: Searched, *, json: str
) -> Sequence[Equation]:
    """Everything that must hold; `json` is the source whose receipts carry a request id."""
    acknowledged = sum(promised.acknowledged.values())
    crashed = unanswered(promised, accounts, json)
    accepted = sum(counts.accepted for counts in accounts.counts)
    settled = sum(counts.settled for counts in accounts.counts)
    waiting = sum(counts.waiting for counts in accounts.counts)
    planted = {Outcome.INVALID, Outcome.WITHHELD, Outcome.EXPIRED, Outcome.REJECTED}
    answered = " + stored, but killed before the answer" if crashed else ""
    return (
        Equation(
            "events sent = acknowledged with a 2xx", sum(promised.sent.values()), acknowledged
        ),
        Equation(f"acknowledged{answered} = in the journal", acknowledged + crashed, accounts.of()),
        Equation("accepted = settled + waiting", accepted, settled + waiting),
        Equation("waiting = 0", accounts.of(outcome=WAITING), 0),
        Equation("counted by the journal = found in its rows", accepted, accounts.of()),
        Equation(
            "delivered = had an effect at TikTok",
            accounts.of(outcome=Outcome.DELIVERED),
            received.effects,
        ),
        Equation(
            "refused = made wrong on purpose",
            sum(accounts.of(outcome=outcome) for outcome in planted),
            sum(promised.planted[outcome] for outcome in planted),
        ),
        Equation(
            "duplicates = sent twice on purpose" + (" + repeated after the crash" * bool(crashed)),
            accounts.of(outcome=Outcome.DUPLICATE),
            promised.planted[Outcome.DUPLICATE] + crashed,
        ),
        Equation(
            f"raw identifiers, of {searched.identifiers:,} sent, in the "
            f"{searched.size_bytes / 1e6:.1f} MB that the relay wrote = 0",
            searched.found,
            0,
        ),
    )
