"""BUD: can the ad groups that are switched on deliver, and do the others stay quiet?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from relay.audit.books import Books
from relay.audit.books.calendar import Span, moved
from relay.audit.books.lines import about
from relay.audit.checks.check import (
    Result,
    account,
    cents,
    money,
    plural,
    survey,
    text,
)
from relay.audit.facts import AdGroup, Day
from relay.audit.findings import Certainty, Finding, Severity, Subject

if TYPE_CHECKING:
    from relay.config.audit import Thresholds

#: Ends of a status that blocks delivery, and what a person does: no two fit one status, for
#: AUDIT_DENY does not end like AUDIT. Source: ad group fields of the Marketing API v1.3.
_BLOCKED: Final = {
    "_PIXEL_UNBIND": "link its pixel to the ad account",
    "_BALANCE_EXCEED": "top up the balance of the account",
    "_BUDGET_EXCEED": "raise its budget, or wait for the next day",
    "_CAMPAIGN_EXCEED": "raise the budget of its campaign",
    "_AUDIT_DENY": "read why the review refused it and change the ads",
    "_AUDIT": "wait for the review",
    "_REAUDIT": "wait for the review of the change",
    "_ASSET_AUTHORIZATION_LOST": "have the authorisation of its identity or asset renewed",
    "_TRANSCODING_FAIL": "upload the video again",
    "_ADGROUP_QUOTA_LIMIT": "delete ad groups that nobody needs",
    "_INDUSTRY_QUALIFICATION_MISSING": "hand in the industry's qualification",
    "_INDUSTRY_QUALIFICATION_EXPIRED": "renew the industry's qualification",
    "_INDUSTRY_QUALIFICATION_DENY": "hand in another qualification of the industry",
    "ADVERTISER_ACCOUNT_PUNISH": "appeal the punishment of the account",
    "ADVERTISER_CONTRACT_PENDING": "sign the contract",
}


def cannot_deliver(books: Books, limits: Thresholds) -> Result:
    """ENABLE with a blocked secondary_status; balance ≤ 1 day of spend; account status ≠ ENABLE."""
    return [
        *_account_off(books),
        *_balance_low(books, limits),
        *(found for each in books.facts.adgroups for found in _blocked(books, each)),
    ]


def _account_off(books: Books) -> Iterator[Finding]:
    status = books.facts.advertiser.status
    if status in ("STATUS_ENABLE", "ENABLE"):
        return
    yield Finding(
        check="BUD-03",
        severity=Severity.HIGH,
        subject=account(books),
        says=f"The account cannot deliver: its status is {status}.",
        expected=text("status", "STATUS_ENABLE"),
        found=text("status", status),
        do=f"Open account {books.facts.advertiser.id} in Ads Manager and do what {status} asks "
        "for.",
        certainty=Certainty.CERTAIN,
        source="Marketing API v1.3, /advertiser/info/: status",
    )


def _balance_low(books: Books, limits: Thresholds) -> Iterator[Finding]:
    balance = books.facts.advertiser.balance
    week = Span(moved(books.today, -7), moved(books.today, -1))
    spends = [
        row.spend
        for day, row in books.account_days.items()
        if day in week and day in books.period and row.spend
    ]
    if balance is None or not spends:
        return
    a_day = sum(spends, Decimal(0)) / len(spends)
    least = a_day * Decimal(str(limits.balance_days))
    if balance > least:
        return
    currency = books.currency
    yield Finding(
        check="BUD-03",
        severity=Severity.HIGH,
        subject=account(books),
        says=f"The balance of {cents(balance)} {currency} will not last: the account spends "
        f"{cents(a_day)} {currency} a day.",
        expected=money("balance, more than", least, currency),
        found=money("balance", balance, currency),
        do=f"Top up account {books.facts.advertiser.id} (an account that pays afterwards has no "
        "balance: set audit.thresholds.balance_days low).",
        certainty=Certainty.LIKELY,
        source="Marketing API v1.3, /advertiser/info/: balance",
        at_stake=cents(a_day),
        details=[money("spend of a day", a_day, currency)],
        # A name of its own: it explains nothing of what other ad groups do.
        concerns=about(balance=(books.facts.advertiser.id,)),
    )


def _blocked(books: Books, adgroup: AdGroup) -> Iterator[Finding]:
    status = adgroup.secondary_status or ""
    end = next((each for each in _BLOCKED if status.endswith(each)), None)
    if adgroup.operation_status != "ENABLE" or end is None:
        return
    pixel = books.pixels.get(adgroup.pixel_id or "")
    last = books.adgroup_days.get(adgroup.id, ())
    yield Finding(
        check="BUD-03",
        severity=Severity.HIGH,
        subject=Subject("adgroup", adgroup.id, adgroup.name),
        says=f'"{adgroup.name}" is switched on but cannot deliver: {status}.',
        expected=text("secondary_status", "ADGROUP_STATUS_DELIVERY_OK"),
        found=text("secondary_status", status),
        do=f'Ad group "{adgroup.name}" ({adgroup.id}): {_BLOCKED[end]}.',
        certainty=Certainty.CERTAIN,
        source="Marketing API v1.3, ad group fields: secondary_status",
        since=max((moved(row.day, 1) for row in last if row.spend), default=None),
        concerns=about(adgroup=(adgroup.id,), pixel=() if pixel is None else (pixel.code,)),
    )


def spend_at_rest(books: Books, _: Thresholds) -> Result:
    """Sp > 0 on a day after the group was switched off (its last change) or had ended."""
    resting = [
        (each, last)
        for each in books.facts.adgroups
        if (last := _last_day(books, each)) is not None
    ]
    return survey(
        resting,
        lambda item: _spent_after(books, *item),
        nothing="no ad group was switched off or has ended",
    )


def _last_day(books: Books, adgroup: AdGroup) -> date | None:
    """The last day on which it may have spent; None of one that still runs.

    One that is off was switched off at its last change or before."""
    days = []
    if adgroup.ends_at is not None:
        days.append(books.calendar.day_of(adgroup.ends_at))
    is_off = adgroup.operation_status in ("DISABLE", "DELETE", "FROZEN")
    if is_off and adgroup.modified_at is not None:
        days.append(books.calendar.day_of(adgroup.modified_at))
    last = min(days, default=books.today)
    return last if last < books.today else None


def _spent_after(books: Books, adgroup: AdGroup, last: date) -> Result:
    rows: Sequence[Day] = [
        row
        for row in books.adgroup_days.get(adgroup.id, ())
        if row.day > last and row.spend and row.day in books.period
    ]
    if not rows:
        return []
    spent = sum((row.spend or Decimal(0) for row in rows), Decimal(0))
    currency = books.currency
    return [
        Finding(
            check="BUD-04",
            severity=Severity.MEDIUM,
            subject=Subject("adgroup", adgroup.id, adgroup.name),
            says=f'"{adgroup.name}" was over on {last}, but spent {cents(spent)} {currency} on '
            f"{plural(len(rows), 'day')} after it.",
            expected=money("spend after its end", Decimal(0), currency),
            found=money("spend after its end", spent, currency),
            do=f'See in Ads Manager whether ad group "{adgroup.name}" ({adgroup.id}) is really '
            "off, and whether the spend belongs to another one.",
            certainty=Certainty.LIKELY,
            source="Marketing API v1.3: operation_status, modify_time, schedule_end_time; report "
            "by day",
            since=min(row.day for row in rows),
            at_stake=spent,
            concerns=about(adgroup=(adgroup.id,)),
        )
    ]
