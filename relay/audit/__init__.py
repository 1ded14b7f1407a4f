"""The audit: does the money spent match the conversions that really happened?

Facts first (`facts`, gathered by `collect`, the only file here that does I/O), then checks, which
are functions from facts to findings, then triage.

    facts ── books (indexed once: calendar, reports, deliveries, sampled, lines)
          ── checks (fifty, by what they look at) ── triage (causes silence effects) ── audit

`judge.judge(facts, thresholds)` does all of it. What may be compared with what: TikTok's
conversions by event day with the relay's events of the same days; those by the day of the click
with spend, and with the relay's only over 28 mature days or re-keyed to the day of the click; event
statistics with the relay's events of the same day of UTC. No ratio uses a day that is not mature.
"""
