"""What replicas that deliver to one destination share: its token's budget and its lane's standing.

In:   lanes of this replica, a database that all replicas use.
Out:  budgets for lanes (`budget.Budget`), and word to a lane of what another replica found.
Fails with: nothing; while the database is away there are no moments to send at, so lanes wait.

    far_clock  the database's clock, seen from here; every shared moment goes by it
    tokens     one token: moments leased ahead, and what was learned about the rate
    standings  one destination: who may probe, and whose finding counts
    lane_budget  what a lane is given of both
    postgres   both as PostgreSQL keeps them, and the tasks that keep rows and lanes in step

Decisions, and why:

* **Moments are leased, not counted.** The row of a token holds the next free moment; taking some
  moves it on. So the sum over all replicas keeps the rate, whatever the replicas do.
* **Who waits gets a moment, in the order of asking; who is alone gets some ahead.** An idle replica
  takes none, and a moment that is not used in time expires, so none can be hoarded.
* **Findings have versions.** Whoever finds that a destination must pause says on which version that
  rests; if the row has moved on, the finding is void, as an answer from an earlier epoch is within
  a lane.
* **One asks for all.** A lane that does not run may probe only with the lease in its row. It is
  renewed while the probe is under way, and short: a replica that dies holds nobody for long.
"""
