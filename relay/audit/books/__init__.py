"""The facts of one audit, indexed once: what checks look things up in.

books        all of the below, of one account
calendar     days and hours in two clocks: the ledger's and the account's
deliveries   what the relay delivered, by day; `sampled`, the sample of it
reports      TikTok's rows, sorted; `totals`, their sums
lines        what is compared as one: ad groups that optimise for one event of one pixel
"""

from __future__ import annotations

from relay.audit.books.books import PURCHASE, Books

__all__ = ["PURCHASE", "Books"]
