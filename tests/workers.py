"""Which tests a worker of pytest-xdist takes together, when there are several.

Tests that start servers and processes run one after the other, on one worker, whose servers they
share; those of the audit share what was rehearsed. All others are pure, or small: a file of them
stays together for its fixtures. (`--dist loadgroup` would do, but its groups need names of tests
that pytest 9 does not let it change.)
"""

from __future__ import annotations

from typing import Any

import pytest

_TOGETHER = {
    "tests/acceptance/": "servers",
    "tests/audit/": "audit",
    "tests/contract/": "servers",
    "tests/postgres/": "servers",
    "tests/watch/": "servers",
}


def group_of(nodeid: str) -> str:
    """What the tests of one worker have in common."""
    file = nodeid.partition("::")[0]
    folders = (group for folder, group in _TOGETHER.items() if file.startswith(folder))
    return next(folders, file)


@pytest.hookimpl(optionalhook=True)  # pytest-xdist may be missing
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The scheduler of `--dist loadscope`, with groups for scopes."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415  # only where it is used

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = group_of  # the place its documentation names for it
    return scheduler
