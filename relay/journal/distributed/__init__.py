"""The journal on Kafka and PostgreSQL, for any number of processes.

    ingest ─▶ topic of the destination ─▶ claim ─▶ in memory ─▶ deliver ─▶ settle
              (the 2xx goes out here)     └──────── transactions in PostgreSQL ────────┘

Decisions, and why:

* **A topic for each destination**, not one for all: a destination that is paused is not read any
  further, its backlog stays in Kafka, and it harms no other.
* **The value of a message is the event as TikTok gets it**; what stands beside it is in a header.
  PostgreSQL holds no bodies but those of parked retries and dead letters; `find` reads the topic.
* **The truth about progress is in PostgreSQL**, in the transaction that books outcomes, claims and
  sums; the group's committed offsets follow it for those who watch the lag. So nothing counts
  twice, whatever dies when.
* **Epochs fence**: who takes a partition over raises its epoch, and a process that was given up
  for dead and is not can settle nothing any more.
* **A retry of minutes is a row**, so that it holds neither its offset nor its partition.
"""

from relay.journal.distributed.journal import DistributedJournal
from relay.journal.distributed.records import DistributedRecords
from relay.journal.distributed.settings import DistributedSettings, Watchers
from relay.journal.distributed.topics import Topics

__all__ = ["DistributedJournal", "DistributedRecords", "DistributedSettings", "Topics", "Watchers"]
