"""Where the relay's time goes: one burst with the relay under cProfile.

Good for finding what to look at, not for how much it costs: cProfile makes small Python functions
look two to three times as dear as they are, and sees only the main thread.
"""

from __future__ import annotations

import io
import pstats
from pathlib import Path

from tests.bench.apart import both
from tests.bench.bursts import Bench
from tests.bench.fleet import running_fleet, running_servers
from tests.bench.rig import running_rig

#: Events in a request, by line; of relays apart the role, which is no number of events.
_EVENTS = {"single": 1, "fifty": 50}
PROFILES = (*_EVENTS, "ingest", "deliver")

_SHOWN = 30


async def profile(line: str, bench: Bench, folder: Path) -> str:
    """The functions that took longest themselves, as Python's own table."""
    written = folder / "relay.prof"
    head = await (_of_folder if line in _EVENTS else _of_fleet)(line, bench, folder, written)
    out = io.StringIO()
    stats = pstats.Stats(str(written), stream=out).strip_dirs()
    stats.sort_stats("tottime").print_stats(_SHOWN)
    return f"{head}\n{out.getvalue()}"


async def _of_folder(line: str, bench: Bench, folder: Path, written: Path) -> str:
    async with running_rig(folder, bench.cores, profile=written) as rig:
        burst, wrong = await bench.chain(rig, _EVENTS[line])
    cost = f"{burst.cpu_s_per_million:.1f} CPU s per million (profiled)"
    return "\n".join([f"{burst.accepted} events, {cost}", *wrong])


async def _of_fleet(line: str, bench: Bench, folder: Path, written: Path) -> str:
    own = folder / "bench-profile"
    own.mkdir()
    with running_servers() as servers:
        async with running_fleet(own, servers, delivering=1, profile={line: written}) as fleet:
            run, wrong = await both(bench, fleet, bench.plan.messages)
    cost = f"ingest {run.cost.ingest:.1f}, deliver {run.cost.deliver:.1f} CPU s per million"
    return "\n".join([f"{run.events} events, {cost} ({line} profiled)", *wrong])
