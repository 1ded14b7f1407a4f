"""`python -m relay`: the same as `relay`."""

from __future__ import annotations

from relay.cli import main

main()
