"""Deliver: send what waits, read what TikTok says, and decide what it means. Pure, but for `http`
and, in `shared`, `postgres` and `rows`.

In:   entries of one destination (their bytes joined by `request`), TikTok's replies.
Out:  verdicts (`verdict.read`), and from a lane what to do next and what settles.
Fails with: nothing on the way to TikTok; trouble is a `Reply` and becomes a verdict.

    verdict  the answer, read: by code, then HTTP status, then network error
    codes    the one table of TikTok's codes
    lane     the state machine of one destination; breaker, budget, limiter, turns, aftermath,
             split, work and plan are its parts
    http     one POST, and whether TikTok may have it
    shared   what lanes of one destination in several replicas have in common

Decisions, and why:

* **A lane holds numbers, not events.** The journal keeps entries; a lane knows the seqs that are
  under way or need another attempt, at most some ten thousand. A day of outage does not grow it.
* **Refused batches are cut, never given up.** Every refusal of several events is taken to be about
  one of them, unknown 4xxxx codes too. Only an event that is refused alone is rejected.
* **Whoever fails may be at fault: the event, the destination or TikTok.** One work that fails while
  others succeed is cut until the event stands alone; it holds nobody. Two works that fail in a row
  stop the lane. So no event can block a destination, and no outage cuts batches to pieces.
* **Only answers about the present count.** Every change of state begins an epoch; answers to older
  requests settle their entries but do not move the state (see `breaker`).
* **Throttles are the token's, outages the lane's.** TikTok limits a token, so lanes that share one
  share a limiter; failures and pauses concern one destination only.
* **A success is code 0 in a 2xx answer.** Anything less certain is sent again with the same
  `event_id`: within 48 hours TikTok drops repeats, so doubt costs a request and no event.
"""
