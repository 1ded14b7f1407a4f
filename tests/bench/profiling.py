"""Where the relay's time goes: one burst with the relay under cProfile.

Good for finding what to look at, not for how much it costs: cProfile makes small Python functions
look two to three times as dear as they are, and sees only the main thread.
"""

from __future__ import annotations

import io
import pstats
from pathlib import Path

from tests.bench.bursts import Bench
from tests.bench.rig import running_rig

#: Events in a request, by line.
PROFILES = {"single": 1, "fifty": 50}

_SHOWN = 30


async def profile(line: str, bench: Bench, folder: Path) -> str:
    """The functions that took longest themselves, as Python's own table."""
    written = folder / "relay.prof"
    async with running_rig(folder, bench.cores, profile=written) as rig:
        burst, wrong = await bench.chain(rig, PROFILES[line])
    out = io.StringIO()
    stats = pstats.Stats(str(written), stream=out).strip_dirs()
    stats.sort_stats("tottime").print_stats(_SHOWN)
    head = f"{burst.accepted} events, {burst.cpu_s_per_million:.1f} CPU s per million (profiled)"
    return "\n".join([head, *wrong, out.getvalue()])
