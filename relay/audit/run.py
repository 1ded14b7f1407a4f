"""One audit, from asking to judging."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from relay.audit.collecting import Collector
from relay.audit.facts import Target
from relay.audit.findings import Audit
from relay.audit.judge import judge
from relay.clock import Clock
from relay.config import Settings, Thresholds
from relay.errors import RelayError
from relay.management import Client, Limits


class NoAccounts(RelayError):
    """Nothing says which ad accounts to audit; set `management.advertisers`."""


def client_of(settings: Settings, token: Callable[[], str], clock: Clock) -> Client:
    """A client for the configured TikTok; `token` is asked before every call."""
    ask = settings.management
    limits = Limits(qps=ask.requests_per_second, qpm=ask.requests_per_minute)
    return Client(token, base_url=settings.tiktok.base_url, clock=clock, limits=limits)


def targets_of(settings: Settings) -> list[Target]:
    """The destinations, as an audit knows them."""
    return [
        Target(each.name, each.event_source, each.event_source_id) for each in settings.destinations
    ]


async def accounts_of(settings: Settings, client: Client) -> Sequence[str]:
    """The ad accounts to be read: those of the configuration, else all that the token was given,
    else those of the Business Centers that it can read.

    Raises `NoAccounts` where nothing says any, `SecretUnavailable`, and `ManagementError`.
    """
    ask = settings.management
    if ask.advertisers:
        return ask.advertisers
    if ask.app_id is not None and ask.app_secret is not None:
        granted = client.granted_accounts(ask.app_id, ask.app_secret.read())
        found = [each.advertiser_id async for each in granted]
    else:
        found = [
            asset.asset_id
            async for center in client.business_centers()
            async for asset in client.assets(center.bc_id, "ADVERTISER")
        ]
    if not found:
        raise NoAccounts
    return found


async def audit_accounts(
    collector: Collector, advertiser_ids: Sequence[str], days: int, thresholds: Thresholds
) -> AsyncIterator[Audit]:
    """Audit one account after the other, and keep what later audits compare with.

    Raises `ManagementError` when an account cannot be read at all, and `JournalUnavailable` when
    nothing can be kept.
    """
    for assignment in await collector.assignments(advertiser_ids):
        facts = await collector.collect(assignment, days)
        yield judge(facts, thresholds)
        await collector.remember(facts)
