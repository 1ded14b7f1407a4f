"""Topics as a way in: messages in, offsets out once the journal has what they hold.

`reader` is a source's consumer for as long as the relay runs: it connects, waits for brokers that
are away, and ends. `session` is one connection of it: fetch, judge, store, commit, let go. What a
message means is the pipeline's knowledge (`protocol.Path`). `standing` and `share` decide.

Decisions:

* An offset is committed after the journal's `append` returned, about once a second and whenever
  partitions are given away. What is read again after a crash is known to the journal by its
  receipt, `kafka:<topic>/<partition>@<offset>`.
* One batch is in hand at a time. While the journal cannot store, it stays in hand, the partitions
  are paused (which ends prefetching, and keeps the membership) and storing is tried again.
* A rebalance waits for the batch in hand, a fifth of the poll interval at most, and for the commit;
  what is still not stored then is let go, and read again by whoever gets the partition.
* Any error of the client ends the connection, and a new one goes on from the committed offsets:
  after an error in the middle of a fetch the client's own positions may be ahead of what it gave.
* aiokafka's `latest` would also apply where retention has overtaken a group, and skip everything;
  so the client always resets to the earliest message, and `start = "latest"` is done by `session`:
  partitions without an offset begin at their end, and that is committed at once.
* Too many invalid messages: the source stops, before the first one of the batch that showed it is
  stored. What trickled in before that batch is recorded, 49 messages or half a window at most.
* Memory: `FETCH_BYTES` a partition, of which one batch is in hand.
"""

from relay.ingest.kafka.settings import ReaderSettings, State

__all__ = ["ReaderSettings", "State"]
