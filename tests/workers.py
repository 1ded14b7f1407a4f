"""Which tests a worker of pytest-xdist takes together, when there are several.

Tests that start servers and processes run one after the other, on one worker, whose servers they
share. A rehearsal of the audit takes seconds, and its tests stay together. All others are pure, or
small: a file of them stays together for its fixtures. (`--dist loadgroup` would do, but its groups
need names of tests that pytest 9 does not let it change.)
"""

from __future__ import annotations

from typing import Any

import pytest

_STARTING = ("tests/acceptance/", "tests/contract/", "tests/postgres/", "tests/watch/")
_REHEARSED = ("tests/audit/test_clean.py", "tests/audit/test_scenarios.py")


def group_of(nodeid: str) -> str:
    """What the tests of one worker have in common."""
    file, _, test = nodeid.partition("::")
    if file.startswith(_STARTING):
        return "servers"
    if file in _REHEARSED:
        return f"{file}[{test.partition('[')[2]}"
    return file


@pytest.hookimpl(optionalhook=True)  # pytest-xdist may be missing
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The scheduler of `--dist loadscope`, with groups for scopes."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415  # only where it is used

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = group_of  # the place its documentation names for it
    return scheduler
