"""What a check is, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from relay.audit.books import Books
from relay.audit.books.deliveries import Feed
from relay.audit.books.lines import about
from relay.audit.facts import Part
from relay.audit.findings import Figure, Finding, Subject

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


@dataclass(frozen=True, slots=True)
class Inapplicable:
    """There was nothing to judge; `why` is a sentence."""

    why: str


Result = Sequence[Finding] | Inapplicable

Judge = Callable[[Books, "Thresholds"], Result]


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `needs` are the parts without which it is not judged; `judge` may rely on them."""

    id: str
    title: str
    needs: frozenset[Part]
    judge: Judge


def check(id: str, title: str, judge: Judge, *needs: Part) -> Check:
    return Check(id, title, frozenset(needs), judge)


_Subject = TypeVar("_Subject")


def survey(
    subjects: Iterable[_Subject], one: Callable[[_Subject], Result], *, nothing: str
) -> Result:
    """Judge each subject; not applicable where none could be judged. `nothing` says what there was
    none of."""
    found: list[Finding] = []
    skipped: list[str] = []
    judged = False
    for subject in subjects:
        result = one(subject)
        if isinstance(result, Inapplicable):
            skipped.append(result.why)
        else:
            judged = True
            found += result
    if judged:
        return found
    return Inapplicable(skipped[0] if skipped else nothing)


# --- numbers in words ----------------------------------------------------------------------------


def events(label: str, count: int | None) -> Figure:
    return Figure(label, count, "events")


def percent(label: str, share: float) -> Figure:
    return Figure(label, Decimal(format(100 * share, ".1f")), "%")


def money(label: str, amount: Decimal | None, currency: str) -> Figure:
    return Figure(label, None if amount is None else cents(amount), currency)


def number(label: str, value: float | Decimal, unit: str) -> Figure:
    return Figure(label, cents(value), unit)


def text(label: str, value: str) -> Figure:
    return Figure(label, value)


def cents(value: float | Decimal) -> Decimal:
    """Two decimals, however large it is."""
    return Decimal(format(value, ".2f"))


def as_percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def named(names: Iterable[str], most: int = 3) -> str:
    """`"a", "b", "c" and 4 more`."""
    every = list(names)
    quoted = ", ".join(f'"{each}"' for each in every[:most])
    return f"{quoted} and {len(every) - most} more" if len(every) > most else quoted


def plural(count: int, one: str, several: str | None = None) -> str:
    return f"{count} {one if count == 1 else several or one + 's'}"


def ratio(a: Decimal | float, b: Decimal | float) -> float | None:
    """a / b; None by nothing."""
    return float(a) / float(b) if b else None


def account(books: Books) -> Subject:
    advertiser = books.facts.advertiser
    return Subject("account", advertiser.id, advertiser.name)


def no_rate(books: Books, amounts: Iterable[str]) -> Inapplicable:
    """For currencies that cannot be converted into the account's."""
    lacking = books.unconvertible(amounts)
    mends = ", ".join(f"audit.rates.{each} = …" for each in lacking)
    currencies = " and ".join(lacking)
    return Inapplicable(
        f"there is no rate from {currencies} to {books.currency}: write what one {lacking[0]} is "
        f"worth ({mends})"
    )


def concerns_of(books: Books, feed: Feed) -> frozenset[str]:
    """What a finding about one event of one destination concerns."""
    name, event = feed
    pixel = books.target_of[name].event_source_id
    return about(destination=(name,), event=(event,), pixel=(pixel,))
