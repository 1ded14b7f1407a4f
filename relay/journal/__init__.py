"""The journal: what is accepted is here, durable, until it is settled, and findable afterwards.

In:   arrivals (events and refusals), settlements with the attempt that led to them.
Out:  answers (waits, duplicate, known), entries to deliver, traces, dead letters, sums.
Fails with: `JournalUnavailable` (cannot store now), `JournalFull`, `JournalLocked`,
`JournalFormat`.

`protocol.py` says what a journal promises; `rocksdb/` keeps it in one folder.

Decisions, and why:

* **A log, not a table of rows.** All events of one group commit and one destination form one
  *chunk*; a chunk is written once and never rewritten. An entry is named by its `seq`; what is
  settled is a set of `seq` intervals. Settling a batch of 1000 is one small write instead of
  1000 deletes, and the bodies lie in the chunk ready to be joined into the request.
* **Claims are per-day column families** (random keys with Bloom filters): expiry drops a family.
  The look-up asks all days of the window with one multi-get a day; 1.2 µs an event when measured
  with eight full days on a 2-core machine.
* **Search is a scan over 8-byte fingerprints**, not an index of rows: `find` is rare and may take
  some hundred milliseconds, the hot path is not and may not. Fingerprint rows are folded hourly.
* **The ledger counts by UTC hour of the event**, not by day, so that an ad account's own day can
  be summed later, whatever its time zone.
"""
