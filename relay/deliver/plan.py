"""What a lane may ask for, what it answers, and the numbers it goes by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from relay.backoff import Backoff
from relay.deliver.breaker import Cause, LaneState
from relay.deliver.split import Seqs
from relay.deliver.work import Work
from relay.model import Outcome, Reason

#: TikTok drops an event it has (same source id, event and `event_id`) for 48 hours, and counts it
#: again after that (TikTok help, "Event deduplication").
TIKTOK_REMEMBERS_S = 48 * 3600.0


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """The numbers of one lane.

    `max_in_flight`     requests at once; more than two only while a full batch or a backlog waits
    `max_events`        events in a request
    `backlog_after_s`   the oldest entry waits longer than that: a backlog. Add the linger
    `live_every_s`      how often the newest entries are taken while a backlog drains
    `probe_every_s`     how often a paused lane tries whether it may go on
    `patience`          failed attempts of a work, while others succeed, before it is sent in parts
    `max_parked_events` no fresh entries while more than that need another attempt
    `far_s`             a work that is due later than that may be laid aside
    `backoff`           of the lane, when TikTok fails; `work_backoff`: of a work that fails alone
    `throttle_backoff`  of the token, when it is too fast; `slow_backoff` for the codes that ask for
                        long breaks (40132, 60001, 61000)
    """

    max_in_flight: int = 4
    max_events: int = 1000
    backlog_after_s: float = 5.0
    live_every_s: float = 2.0
    probe_every_s: float = 30.0
    patience: int = 4
    max_parked_events: int = 10_000
    far_s: float = 30.0
    backoff: Backoff = field(default_factory=lambda: Backoff(base_s=1.0, cap_s=60.0))
    work_backoff: Backoff = field(default_factory=lambda: Backoff(base_s=1.0, cap_s=900.0))
    throttle_backoff: Backoff = field(default_factory=lambda: Backoff(base_s=1.0, cap_s=60.0))
    slow_backoff: Backoff = field(
        default_factory=lambda: Backoff(base_s=30.0, cap_s=600.0, floor_s=10.0)
    )


@dataclass(frozen=True, slots=True)
class Fresh:
    """Take up to `limit` entries from the journal, from the newest or the oldest end, and send."""

    newest: bool
    limit: int


@dataclass(frozen=True, slots=True)
class Again:
    """Send this parked work again. `may_count_twice`: an attempt of it had an unknown outcome more
    than 48 hours ago, so TikTok may count its events twice; say so before sending."""

    work: Work
    may_count_twice: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to send now: ask again at `until`, at an answer, or when told something; and, with
    `for_entries`, when the journal has an entry to take."""

    until: float | None = None
    for_entries: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """The lane drained: nothing is under way, what is left stays in the journal."""


Step = Fresh | Again | Wait | Finished


class Settle(NamedTuple):
    """These entries end like this."""

    seqs: Seqs
    outcome: Outcome
    reason: Reason


@dataclass(frozen=True, slots=True)
class Decision:
    """What an answer led to: `settle` these; `parked` entries wait for another attempt, which
    begins at `due_at` at the earliest (the lane's state may hold it longer). `changed` says that
    the answer changed the lane's state: tell the operator once."""

    settle: tuple[Settle, ...]
    parked: int
    due_at: float | None
    state: LaneState
    changed: bool


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """What the console and the metrics show of a lane. `probe_at` is None while it runs."""

    state: LaneState
    since: float | None
    cause: Cause | None
    probe_at: float | None
    in_flight: int
    parked_works: int
    parked_events: int
