"""What a person wants to know of an audit, computed once. Pure.

summary     all of the below, of one account
funnel      from arrivals to spend: per channel, event and day
money       spend beside conversions, and what one costs
channels    which destinations, which pixel and which ad groups belong together
sums        adding up where something may be unknown
"""

from __future__ import annotations

from relay.audit.summary.summary import Coverage, Summary, Undelivered, summarise

__all__ = ["Coverage", "Summary", "Undelivered", "summarise"]
