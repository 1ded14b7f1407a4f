"""`relay report`: what TikTok reports, row by row as it comes."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, cast

from relay.cli import ad_account
from relay.cli.ad_account import Access
from relay.cli.ad_columns import zone_text
from relay.cli.asking import Wanted, asked
from relay.cli.cells import Cell, document, money, plain, shown
from relay.cli.report_options import Query, metrics_at
from relay.cli.sheet import Column, Form, Sheet, number
from relay.cli.terminal import say
from relay.cli.token_file import tasks_path
from relay.cli.told import Told
from relay.clock import SystemClock
from relay.management import By, Client, FileTaskStore, Level, ReportRequest, ReportRow
from relay.management.errors import PermissionRefused
from relay.management.models.accounts import Advertiser
from relay.management.reports.metrics import Metric, MetricKind

#: Ratios that are amounts of money: their names say so.
_COSTS: Final = ("cost_per_", "value_per_", "cpc", "cpm", "real_time_cost_per_", "avg_value_per_")

#: What marketers call them, in a table; TikTok's words are those of its documentation.
_TITLES: Final = {
    "cost_per_conversion": "cost per conversion",
    "complete_payment": "purchases",
    "total_complete_payment_rate": "purchase value",
    "complete_payment_roas": "ROAS",
}

_MIDNIGHT: Final = " 00:00:00"


@dataclass(frozen=True, slots=True)
class Reported:
    """A row, and whose it is."""

    account: Advertiser
    request: ReportRequest
    row: ReportRow


def run(wanted: Wanted, query: Query) -> int:
    """Report, and return the exit code: 1 where rows are missing. Raises `ConfigError`."""
    like = query.check(datetime.fromtimestamp(SystemClock().now(), UTC).date())
    access = wanted.access()
    try:
        return asked(access, lambda told: _Reports(access, wanted, query, told).write(like))
    except KeyboardInterrupt:
        say("\ninterrupted; a report that TikTok was making is cancelled")
        raise


class _Reports:
    """The reports of all accounts, one after another."""

    def __init__(self, access: Access, wanted: Wanted, query: Query, told: Told) -> None:
        self._access = access
        self._wanted = wanted
        self._query = query
        self._told = told
        self._store = FileTaskStore(tasks_path(os.environ))

    async def write(self, like: ReportRequest) -> None:
        """All rows; `like` is a request like those of the accounts."""
        access, wanted = self._access, self._wanted
        async with ad_account.client(access.settings, access.token.read, self._told) as tiktok:
            ids = await ad_account.account_ids(tiktok, access, wanted.advertisers)
            sheet = Sheet(
                columns_of(like, several=len(ids) > 1),
                wanted.form,
                as_document,
                most_rows=wanted.most_rows,
            )
            with self._told.moving(beside_output=wanted.form is not Form.TABLE):
                is_cut = await self._fill(sheet, tiktok, ids)
            sheet.end("row", is_cut=is_cut)

    async def _fill(self, sheet: Sheet[Reported], tiktok: Client, ids: Sequence[str]) -> bool:
        """Whether rows were left over."""
        async for account in ad_account.accounts(tiktok, ids, self._told):
            try:
                async with aclosing(self._rows(tiktok, account)) as rows:
                    async for row in rows:
                        if not sheet.add(row):
                            return True
            except PermissionRefused as refused:
                self._told.lost(account.advertiser_id, refused)
        return False

    async def _rows(self, tiktok: Client, account: Advertiser) -> AsyncGenerator[Reported, None]:
        now = self._told.now
        request = self._query.request(account.advertiser_id, now.astimezone(account.zone).date())
        say(
            f"{shown(account.name)}, {account.advertiser_id}: {request.first} to {request.last}, "
            f"days of {zone_text(account.timezone, now)}, in {shown(account.currency)}"
        )
        report = tiktok.report(request, on_progress=self._told.progress, store=self._store)
        rows = cast("AsyncGenerator[ReportRow, None]", aiter(report))
        async with aclosing(rows):
            async for row in rows:
                yield Reported(account, request, row)


def as_document(reported: Reported) -> dict[str, Any]:
    """A row in TikTok's own shape, with its account; numbers as texts, so that no digit is lost."""
    account = reported.account
    return {
        "advertiser_id": account.advertiser_id,
        "currency": account.currency,
        "timezone": account.timezone,
        "dimensions": reported.row.dimensions,
        "metrics": document(reported.row.metrics),
    }


# --- columns --------------------------------------------------------------------------------------


def columns_of(request: ReportRequest, *, several: bool) -> list[Column[Reported]]:
    """Account, time, object, metrics."""
    columns: list[Column[Reported]] = [
        Column(
            "advertiser_id",
            lambda row: row.account.advertiser_id,
            in_table=several or request.level is Level.ACCOUNT,
        ),
        Column("currency", lambda row: row.account.currency, in_table=False),
        Column("timezone", lambda row: row.account.timezone, in_table=False),
    ]
    if request.by is not By.NONE:
        columns.append(_time(request.by))
    if request.level is not Level.ACCOUNT:
        columns.append(_dimension(request.id_dimension))
    taken = {each.name for each in columns}
    return columns + [_metric(each) for each in request.columns if each.name not in taken]


def _time(by: By) -> Column[Reported]:
    def value(row: Reported) -> str:
        text = row.row.dimensions[by.value]
        return text.removesuffix(_MIDNIGHT) if by is By.DAY else text.removesuffix(":00")

    return Column(by.value, value, lambda row: shown(value(row)), title=by.name.lower())


def _dimension(name: str) -> Column[Reported]:
    return Column(name, lambda row: row.row.dimensions[name], spare=True)


def _metric(metric: Metric) -> Column[Reported]:
    def value(row: Reported) -> Cell:
        return row.row.metrics[metric.name]

    def text(row: Reported) -> str:
        amount = value(row)
        if isinstance(amount, Decimal | int) and _is_money(metric):
            return money(Decimal(amount), row.account.currency)
        return plain(amount) if isinstance(amount, str) else number(amount)

    is_text = metric.kind is MetricKind.TEXT
    title = _TITLES.get(metric.name)
    return Column(metric.name, value, text, title=title, right=not is_text, fold=is_text)


def _is_money(metric: Metric) -> bool:
    return metric.kind is MetricKind.MONEY or metric.name.startswith(_COSTS)


# --- what there is to ask for ---------------------------------------------------------------------


def list_metrics(level: Level | None, form: Form) -> int:
    """The metrics, of one level or all; nobody is asked."""
    sheet = Sheet(_METRIC_COLUMNS, form, _metric_document, most_rows=10_000)
    for each in metrics_at(level):
        sheet.add(each)
    sheet.end("metric")
    return 0


_METRIC_COLUMNS: Final[list[Column[Metric]]] = [
    Column("metric", lambda row: row.name),
    Column("kind", lambda row: row.kind.value),
    Column("levels", lambda row: " ".join(each.name.lower() for each in row.levels)),
    Column("by", lambda row: " ".join(each.name.lower() for each in row.only_by)),
]


def _metric_document(row: Metric) -> dict[str, Any]:
    return {each.name: each.value(row) for each in _METRIC_COLUMNS}
