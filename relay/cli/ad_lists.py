"""`relay accounts`, `campaigns`, `adgroups`, `ads`, `pixels`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from relay.cli import ad_account, ad_columns
from relay.cli.ad_account import Access
from relay.cli.ad_columns import LinkedPixel, Owned, has_status
from relay.cli.asking import Wanted, asked
from relay.cli.cells import shown
from relay.cli.sheet import Column, Sheet
from relay.cli.terminal import say
from relay.cli.told import Told
from relay.management import Client
from relay.management.errors import (
    CallRefused,
    PermissionRefused,
)
from relay.management.models.accounts import Advertiser
from relay.management.models.events import Pixel
from relay.management.models.hierarchy import Ad, AdGroup, Campaign

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which of an account's things; empty is all."""

    campaigns: tuple[str, ...] = ()
    adgroups: tuple[str, ...] = ()
    status: str | None = None
    deleted: bool = True


# --- accounts -------------------------------------------------------------------------------------


def accounts(wanted: Wanted, *, status: str | None, business_centers: bool) -> int:
    """Ad accounts, or Business Centers. Raises `ConfigError`."""
    access = wanted.access()
    if business_centers:
        return asked(access, lambda told: _centers(access, wanted, status, told))
    return asked(access, lambda told: _accounts(access, wanted, status, told))


async def _centers(access: Access, wanted: Wanted, status: str | None, told: Told) -> None:
    async with ad_account.client(access.settings, access.token.read, told) as tiktok:
        found = (
            each
            async for each in tiktok.business_centers()
            if status is None or has_status(status, each.status)
        )
        columns = ad_columns.center_columns(told.now)
        await _written(found, columns, ad_columns.as_document, wanted, "Business Center")


async def _accounts(access: Access, wanted: Wanted, status: str | None, told: Told) -> None:
    async with ad_account.client(access.settings, access.token.read, told) as tiktok:
        ids = await ad_account.account_ids(tiktok, access, wanted.advertisers)
        found = (
            each
            async for each in ad_account.accounts(tiktok, ids, told)
            if status is None or has_status(status, each.status)
        )
        columns = ad_columns.account_columns(told.now)
        await _written(found, columns, ad_columns.as_document, wanted, "ad account")


# --- what accounts have ---------------------------------------------------------------------------


def campaigns(wanted: Wanted, chosen: Chosen) -> int:
    """Campaigns. Raises `ConfigError`."""

    def of(tiktok: Client, account: Advertiser) -> AsyncIterator[Campaign]:
        return aiter(
            tiktok.campaigns(
                account.advertiser_id,
                campaign_ids=chosen.campaigns,
                include_deleted=chosen.deleted,
            )
        )

    return _of_accounts(wanted, chosen.status, of, ad_columns.campaign_columns, "campaign")


def adgroups(wanted: Wanted, chosen: Chosen) -> int:
    """Ad groups. Raises `ConfigError`."""

    def of(tiktok: Client, account: Advertiser) -> AsyncIterator[AdGroup]:
        return aiter(
            tiktok.adgroups(
                account.advertiser_id,
                campaign_ids=chosen.campaigns,
                adgroup_ids=chosen.adgroups,
                include_deleted=chosen.deleted,
            )
        )

    return _of_accounts(wanted, chosen.status, of, ad_columns.adgroup_columns, "ad group")


def ads(wanted: Wanted, chosen: Chosen) -> int:
    """Ads. Raises `ConfigError`."""

    def of(tiktok: Client, account: Advertiser) -> AsyncIterator[Ad]:
        return aiter(
            tiktok.ads(
                account.advertiser_id,
                campaign_ids=chosen.campaigns,
                adgroup_ids=chosen.adgroups,
                include_deleted=chosen.deleted,
            )
        )

    return _of_accounts(wanted, chosen.status, of, ad_columns.ad_columns, "ad")


def _of_accounts(
    wanted: Wanted,
    status: str | None,
    of: Callable[[Client, Advertiser], AsyncIterator[T]],
    columns: Callable[..., Sequence[Column[Owned[T]]]],
    noun: str,
) -> int:
    """List what `of` finds in each of the accounts."""

    async def job(told: Told) -> None:
        async with ad_account.client(access.settings, access.token.read, told) as tiktok:
            ids = await ad_account.account_ids(tiktok, access, wanted.advertisers)
            statuses = _Statuses(status)
            owned = _each(tiktok, ids, of, told)
            found = (each async for each in owned if statuses.fit(each.item))
            shown_columns = columns(several=len(ids) > 1)
            await _written(found, shown_columns, ad_columns.owned_document, wanted, noun)
            statuses.say_what_there_is()

    access = wanted.access()
    return asked(access, job)


async def _each(
    tiktok: Client,
    ids: Sequence[str],
    of: Callable[[Client, Advertiser], AsyncIterator[T]],
    told: Told,
) -> AsyncIterator[Owned[T]]:
    """Account after account; one that is lost holds up no other."""
    async for account in ad_account.accounts(tiktok, ids, told):
        try:
            async for item in of(tiktok, account):
                yield Owned(account, item)
        except PermissionRefused as refused:
            told.lost(account.advertiser_id, refused)


class _Statuses:
    """Keeps those of a status, and remembers which there were when none has it."""

    def __init__(self, wanted: str | None) -> None:
        self._wanted = wanted
        self._fitting = 0
        self._others: set[str] = set()

    def fit(self, item: Any) -> bool:
        """Whether a campaign, ad group or ad has the status."""
        if self._wanted is None:
            return True
        words = item.operation_status, item.secondary_status
        if has_status(self._wanted, *words):
            self._fitting += 1
            return True
        self._others |= {ad_columns.short(each).replace(" ", "_") for each in words if each}
        return False

    def say_what_there_is(self) -> None:
        if self._others and not self._fitting:
            say(f"none has this --status; there are: {', '.join(sorted(self._others))}")


# --- pixels ---------------------------------------------------------------------------------------


def pixels(wanted: Wanted) -> int:
    """Pixels with their events and links. Raises `ConfigError`."""

    async def job(told: Told) -> None:
        async with ad_account.client(access.settings, access.token.read, told) as tiktok:
            ids = await ad_account.account_ids(tiktok, access, wanted.advertisers)
            found = (
                Owned(each.account, LinkedPixel(each.item, await _links(tiktok, each.item, told)))
                async for each in _each(tiktok, ids, _pixels_of, told)
            )
            columns = ad_columns.pixel_columns(several=len(ids) > 1)
            await _written(found, columns, ad_columns.pixel_document, wanted, "pixel")

    access = wanted.access()
    return asked(access, job)


def _pixels_of(tiktok: Client, account: Advertiser) -> AsyncIterator[Pixel]:
    return aiter(tiktok.pixels(account.advertiser_id))


async def _links(tiktok: Client, pixel: Pixel, told: Told) -> tuple[Any, ...] | None:
    """The accounts that may use the pixel: its Business Center knows, where it has one and where
    the token may ask it."""
    if pixel.owner_bc_id is None:
        return None
    try:
        return tuple(await tiktok.pixel_links(pixel.owner_bc_id, pixel.pixel_code).all())
    except (PermissionRefused, CallRefused) as refused:
        say(f"  links of pixel {shown(pixel.pixel_code)} are unknown: {shown(str(refused))}")
        return None


# --- writing --------------------------------------------------------------------------------------


async def _written(
    found: AsyncGenerator[T, None],
    columns: Sequence[Column[T]],
    document: Callable[[T], object],
    wanted: Wanted,
    noun: str,
) -> None:
    sheet = Sheet(columns, wanted.form, document, most_rows=wanted.most_rows)
    is_cut = False
    async with aclosing(found):
        async for row in found:
            if not sheet.add(row):
                is_cut = True
                break
    sheet.end(noun, is_cut=is_cut)
