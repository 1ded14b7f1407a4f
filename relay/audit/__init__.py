"""The audit: does the money spent match the conversions that really happened?

In:   the relay's books, TikTok's Marketing API, thresholds.
Out:  `Audit`s: facts, findings in the order of triage, what became of each of the fifty checks.
Fails with: `ManagementError` when an account cannot be read at all. What can be read in part makes
an audit partial.

    run        collecting (asks; the only room that waits) ── facts ── judge
    judge      books ── checks ── triage (causes silence effects) ── findings
    schedule   the same beside a running relay           archive    what is kept of it
    showing    summary and verdict first, then document (JSON), page (HTML), gauges (Prometheus)

    books      the facts, indexed once, in the clocks of both sides
    checks     by what they look at; `check` says what one is, `guard` when numbers are too small
    summary    what a person wants to know; `wording` writes numbers and names

What may be compared with what: TikTok's conversions by event day with the relay's events of the
same days; those by the day of the click with spend, and with the relay's only over 28 mature days
or re-keyed to the day of the click; event statistics with the relay's events of the same day of
UTC. No ratio uses a day that is not mature.

Decisions, and why:

* **A part that was not read whole is not read at all** by checks and pictures: a missing row leaves
  no gap in a sum.
* **A cause silences only what is no worse than itself.** A critical effect of a milder cause stands
  and points to it, so that the exit code and the alarm stay.
* **Ads come as one sum each, ad groups by day.** Ads are for landing pages and for the sum of the
  levels; 50 000 of them by day fit into no memory.
* **The sample keeps whole orders and whole clicks** (`relay.journal.sample`), so latency, repeats
  and doubled ids are measured and not guessed; what it is a share of is said in the finding.
"""
