"""MAT: the form of what people are matched by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Final

from relay.audit.books import Books
from relay.audit.books.lines import about
from relay.audit.checks.check import Inapplicable, Result, as_percent, events, percent, survey
from relay.audit.findings import Certainty, Finding, Severity, Subject
from relay.audit.guard import more_than
from relay.model import Outcome

if TYPE_CHECKING:
    from relay.config.audit import Thresholds

#: Fields of a person, and the flaws that say that they were not what they should be.
_KEY_FIELDS: Final = frozenset(
    f"user.{key}"
    for key in (
        "email",
        "phone",
        "external_id",
        "ttclid",
        "ttp",
        "ip",
        "user_agent",
        "idfa",
        "gaid",
    )
)
#: What a sender leaves out, and what is not for this event source, is no bad form.
_NO_FLAWS: Final = frozenset({"missing", "empty", "not_for_source", "hashed", "unlisted"})


def bad_keys(books: Books, limits: Thresholds) -> Result:
    """Events whose e-mail, phone, id, address or user agent could not be read, by all: > 1 %."""
    return survey(
        sorted(books.destinations),
        lambda name: _unreadable(books, name, limits),
        nothing="no destination of the relay belongs to this account",
    )


def _unreadable(books: Books, name: str, limits: Thresholds) -> Result:
    # Issues are counted of neither duplicates nor tests.
    came = sum(
        books.deliveries.ended(name, outcome, books.period).live
        for outcome in Outcome
        if outcome is not Outcome.DUPLICATE
    )
    if not came:
        return Inapplicable("nothing came in these days")
    fields: dict[str, dict[str, Mapping[date, int]]] = {}
    for (destination, field, reason), days in books.issues.items():
        if destination == name and field in _KEY_FIELDS and reason not in _NO_FLAWS:
            fields.setdefault(field, {})[reason] = days
    return [
        _bad_field(books, name, field, reasons, came, limits)
        for field, reasons in sorted(fields.items())
        if more_than(_flawed(reasons), came, limits.bad_keys, limits)
    ]


def _flawed(reasons: Mapping[str, Mapping[date, int]]) -> int:
    return sum(sum(days.values()) for days in reasons.values())


def _bad_field(
    books: Books,
    name: str,
    field: str,
    reasons: Mapping[str, Mapping[date, int]],
    came: int,
    limits: Thresholds,
) -> Finding:
    counts = {reason: sum(days.values()) for reason, days in reasons.items()}
    worst = max(counts, key=lambda reason: (counts[reason], reason))
    share = sum(counts.values()) / came
    return Finding(
        check="MAT-03",
        severity=Severity.HIGH,
        subject=Subject("destination", name, f"{field} of {name}"),
        says=f"{field} could not be read in {sum(counts.values())} of {came} events of {name} "
        f"({as_percent(share)}), mostly: {worst}.",
        expected=percent("events with a bad value", limits.bad_keys),
        found=percent("events with a bad value", share),
        do=f"Let the senders of {name} write {field} {_FORMS.get(field, 'as it is')}.",
        certainty=Certainty.CERTAIN,
        source="TikTok Events API: forms of the identifiers (40062: not hashed)",
        since=min((day for days in reasons.values() for day in days), default=None),
        details=[events(reason, count) for reason, count in sorted(counts.items())],
        concerns=about(destination=(name,), pixel=(books.target_of[name].event_source_id,)),
    )


_FORMS: Final = {
    "user.email": "readable, or as the SHA-256 of the trimmed lower-case address (hashed once)",
    "user.phone": "with its country code (E.164), readable or hashed once",
    "user.external_id": "as the shop's own id of the person, readable or hashed once",
    "user.ip": "as the shopper's public address, not the server's",
    "user.user_agent": "as the shopper's browser says it, not the server's",
    "user.ttclid": "unhashed, as the landing page's address had it",
    "user.ttp": "unhashed, as the cookie _ttp has it",
}
