"""Moving a journal from a folder to servers, or back: what the file holds. Pure.

    rows      what is moved, as values; each one is a line of JSON
    framing   a header first, a trailer last: a file that was cut or damaged is refused
    tokens    what an arrival can be found by, told from what it holds

`rocksdb.moving_out` and `distributed.moving_out` make rows of a journal, `rocksdb.moving_in` and
`distributed.moving_in` put them into one.

Decisions, and why:

* **A line tells all of one arrival**, its attempts included, though a thousand share one: a reader
  needs no second look and no memory, and gzip makes nothing of what repeats.
* **An import is known by its contents**, a digest of the rows: the same file, or another export of
  a journal that did not change, goes on where the first one was, and counts once.
* **What waits claims as its own receipt.** It is set down under a tag of its own first, so that a
  repeat that comes in meanwhile is the duplicate, and so that it is not taken for itself.
"""
