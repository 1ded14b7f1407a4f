"""Moving a journal: out of a folder or of servers into one file, and out of that into the other.

    relay journal export ─▶ FILE ─▶ relay journal import

    groups     what a line of the file says          tokens     what an event can be found by
    stream     the file as bytes: header, lines, trailer; what is cut off or damaged is refused
    stories    attempts and endings of a group, as the records that journals keep
    file       the file itself, or a pipe            target     what an import asks of a journal

Decisions, and why:

* **One line is one write.** A line holds up to some hundred records of one kind with all that they
  refer to, and is stored in one atomic write together with its number. So an import that was
  interrupted goes on where it was, one that is repeated finds its work done, and nothing is booked
  twice, sums included.
* **The whole file is checked before anything is stored**: the trailer holds a digest of everything
  before it. What comes through a pipe is laid into a temporary file first.
* **A journal comes once.** The header names the journals whose content the file holds; one that
  holds some of it already refuses it, for sums cannot be told apart any more.
* **Who moved is sealed.** Two relays that send the same events are one mistake away where the old
  one is started again. `--seal` marks the old journal before the file is made whole; without it the
  file is a copy, and an import wants to be told that the original will not run.
* **What is settled comes first, by day, then what waits, then claims.** A folder keeps a log a day,
  in order; and a claim that comes last meets the entry it belongs to, whatever journal it came from.
* **What is not in the file**: what the sandbox, audits and lanes can find out again (budgets and
  pauses), and what a person can set (the configuration). No raw identifier: a journal has none.
"""
