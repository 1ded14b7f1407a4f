"""Batch: which entries may share a request, and when waiting entries are due. Pure.

In:   entries in the order the journal hands them out; what waits for a destination.
Out:  `Composer` says for each entry whether it joins; `due` says when to leave.
Fails with: nothing; every entry fits some batch.

Decisions, and why:

* **The journal asks, the composer answers.** A composer is the predicate of one take, so that no
  entry is copied into a buffer and back: what fits is taken, the rest never leaves the journal.
* **Test events travel alone with their code**, because `test_event_code` stands at the top of the
  request and would turn every live event in it into a test event.
* **An entry larger than a request may be still goes, by itself.** TikTok publishes no byte limit;
  only TikTok can say that one event is too much, and then it says so about that event.
"""
