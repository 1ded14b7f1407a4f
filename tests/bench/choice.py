"""Every line of the benchmark, and which of them this machine can measure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.bench.ad_account import ad_account
from tests.bench.apart import distributed, lag
from tests.bench.bursts import Bench
from tests.bench.claims import claims
from tests.bench.figures import Report
from tests.bench.lines import LINES as OF_A_FOLDER
from tests.bench.topic import kafka_source
from tests.servers import kafka, postgres

Line = Callable[[Bench, Path], Awaitable[Report]]

#: A broker or a database, or both, are started for these.
OF_SERVERS: Final[Mapping[str, Line]] = {
    "kafka-source": kafka_source, "distributed": distributed, "lag": lag, "claims": claims,
}  # fmt: skip

LINES: Final[Mapping[str, Line]] = {**OF_A_FOLDER, "ad-account": ad_account, **OF_SERVERS}


def chosen(asked: Sequence[str]) -> tuple[Sequence[str], str]:
    """The lines to measure, of those asked for (none: of all), and what is missing for others."""
    wanted = asked or tuple(LINES)
    if not set(wanted) & set(OF_SERVERS):
        return wanted, ""
    needed = {
        "Java 17 or later, and Maven, which fetches the broker": kafka.is_available(),
        "your system's PostgreSQL, 14 or later": postgres.is_available(),
    }
    missing = " and ".join(mend for mend, is_there in needed.items() if not is_there)
    if not missing:
        return wanted, ""
    return [each for each in wanted if each not in OF_SERVERS], f"install {missing}"
