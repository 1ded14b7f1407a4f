"""PostgreSQL: a pool that survives its server, and the schema's versions.

In:   an address, SQL.
Out:  rows.
Fails with: `DatabaseUnavailable` (gone, hanging, or a conflict: ask again), `DatabaseRefused` (a
person has to act: the message says how).

What is stored, and what it means, is the business of the rooms that ask.
"""
