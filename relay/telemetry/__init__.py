"""What an operator sees: metrics and log lines, each with a closed list of labels and fields.

`catalogue.py` lists them all. `Telemetry` counts; `Log` writes. Both are made once, in `app.py`,
and handed down.

Counting is on the path of every event, and `prometheus_client`'s own counters cost about 1 µs each
with their lock. The relay counts on one thread, so it counts in plain dictionaries (0.1-0.2 µs) and
turns them into samples when it is scraped. What another room knows better (what waits in the
journal, the state of a lane) is not copied: it is asked at the scrape.

Nothing personal and no id of an event is ever a label or a field. Names of events are labels up to
a limit, because senders make them up.
"""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST as EXPOSITION_TYPE

from relay.telemetry.exposition import DiskView, JournalView, KafkaView, LaneView
from relay.telemetry.logs import Log, open_log, route_libraries
from relay.telemetry.metrics import Telemetry

__all__ = [
    "EXPOSITION_TYPE",
    "DiskView",
    "JournalView",
    "KafkaView",
    "LaneView",
    "Log",
    "Telemetry",
    "open_log",
    "route_libraries",
]
