"""The audit as one HTML file that needs nothing else: no script, no font, no image from anywhere.

What is not allowed cannot happen either: a policy in its head forbids everything but its own style
sheet. It folds with `details`, follows the reader's light or dark, and prints with all open. Every
number of a picture stands in a table as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from relay.audit.findings import Audit
from relay.audit.page.account import section
from relay.audit.page.markup import Markup, join, named, raw, tag
from relay.audit.page.style import STYLE
from relay.audit.page.table import Column, Row, table
from relay.audit.summary import Summary, summarise
from relay.audit.verdict import verdict_of
from relay.audit.wording import account, count, day, money, tally

__all__ = ["page"]

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


def page(audits: Sequence[Audit], *, version: str, made_at: float) -> str:
    """`version` is the relay's, `made_at` in Unix seconds."""
    made = [(audit, summarise(audit.facts)) for audit in audits]
    names = ", ".join(account(audit.facts) for audit in audits[:3])
    body = (
        tag("header", tag("h1", "Audit of conversions against spend"), _made(version, made_at),
            _contents(made) if len(made) > 1 else None, class_="top"),
        tag("main", *(
            section(audit, summary, number) for number, (audit, summary) in enumerate(made, start=1)
        )),
        tag("footer", tag("p", _FOOTER)),
    )  # fmt: skip
    head = (
        tag("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="robots", content="noindex"),
        tag("meta", name_="referrer", content="no-referrer"),
        tag("title", f"Audit: {names}" if names else "Audit"),
        tag("style", raw(STYLE)),
    )
    whole = tag("html", tag("head", *head), tag("body", *body), lang="en")
    return f"<!doctype html>\n{whole}\n"


_FOOTER: Final = (
    "Delivered and arrived are the relay's ledger; server, browser, counted and attributed are "
    "TikTok's event statistics; reported and spend are TikTok's reports. A dash says that a number "
    "is not known, which is not 0."
)


def _made(version: str, made_at: float) -> Markup:
    when = datetime.fromtimestamp(made_at, UTC)
    said = f"Made {day(when.date())} {when:%H:%M} UTC by conversions relay {version}"
    return tag("p", said, class_="muted small")


def _contents(made: Sequence[tuple[Audit, Summary]]) -> Markup:
    columns = (
        Column("account", is_number=False),
        Column("are the numbers true?", is_number=False),
        Column("spend"),
        Column("delivered"),
        Column("reported"),
        Column("findings", is_number=False),
    )
    rows = [_content(number, *each) for number, each in enumerate(made, start=1)]
    return tag("nav", table("Accounts of this audit", columns, rows), aria_label="Accounts")


def _content(number: int, audit: Audit, summary: Summary) -> Row:
    link = tag("a", named(account(audit.facts)), href=f"#account-{number}")
    answer = verdict_of(audit).answer + (", partial run" if audit.is_partial else "")
    return Row(
        (
            join(link),
            answer,
            money(summary.total.spend, audit.facts.advertiser.currency),
            count(summary.total.delivered),
            count(summary.total.reported),
            tally(audit.standing) or "none",
        )
    )
