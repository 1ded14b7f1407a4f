"""`relay check --online`: do the servers answer that it names, and TikTok's Marketing API?

Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from relay import assembly
from relay.cli.archive import quiet_watchers
from relay.clock import SystemClock
from relay.config import Settings
from relay.errors import ConfigError, DatabaseRefused, DatabaseUnavailable
from relay.kafka.connection import KafkaConnection
from relay.role import Role
from relay.secrets import SecretUnavailable
from relay.sources import kafka


class Asked(NamedTuple):
    """What a server said; `problem` is None when it is well."""

    name: str
    problem: str | None = None


async def ask(settings: Settings, role: Role = Role.ALL) -> list[Asked]:
    """The journal's servers; for who accepts the clusters of Kafka sources, and for who delivers
    the ad account."""
    asked = []
    journal = settings.journal
    if journal.is_distributed:
        connection = KafkaConnection(journal.kafka or "", journal.security)
        asked.append(Asked("journal.kafka", await _ask_brokers(connection, ())))
        asked.append(Asked("journal.postgres", await _ask_database(settings)))
    for source in settings.sources if role.ingests else ():
        if source.kind == kafka.KIND:
            reading = assembly.reader_settings_of(source)
            problem = await _ask_brokers(reading.connection, reading.topics)
            asked.append(Asked(f"source {source.name}", problem))
    if settings.management.access_token is not None and role.delivers:
        asked.append(Asked("management", await _ask_ad_accounts(settings)))
    return asked


async def _ask_ad_accounts(settings: Settings) -> str | None:
    """Is the token taken, and may it read the accounts that are named?"""
    from relay.audit.run import NoAccounts, accounts_of, client_of  # noqa: PLC0415  # as below
    from relay.management.errors import ManagementError  # noqa: PLC0415  # as below

    token = settings.management.access_token
    if token is None:
        return None
    try:
        async with client_of(settings, token.read, SystemClock()) as client:
            await client.advertisers(await accounts_of(settings, client)).all()
    except (ManagementError, NoAccounts, SecretUnavailable) as error:
        return str(error)
    return None


async def _ask_brokers(connection: KafkaConnection, topics: Sequence[str]) -> str | None:
    from aiokafka.errors import KafkaError  # noqa: PLC0415  # costs a moment, and is rarely needed

    from relay.kafka.topics import missing_topics  # noqa: PLC0415  # as above

    try:
        missing = await missing_topics(connection, topics)
    except (KafkaError, OSError, TimeoutError) as error:
        return connection.silent(error)
    except ConfigError as mistaken:
        return "; ".join(str(each) for each in mistaken.mistakes)
    return f"there is no topic {', '.join(missing)}" if missing else None


async def _ask_database(settings: Settings) -> str | None:
    database = assembly.database_of(settings, quiet_watchers())
    try:
        await database.try_out()
    except (DatabaseUnavailable, DatabaseRefused) as error:
        return str(error)
    return None
