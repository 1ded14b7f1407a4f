"""What the audit's tests share: rehearsals, each made once, several at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.audit.staging import Staged, stage

#: A planting: the check's id, and `planted` or `harmless`.
Key = tuple[str, str]


class Stages:
    """Rehearsals under way and done. Those of all collected tests are begun with the first."""

    def __init__(self, wanted: list[Key]) -> None:
        # A process that was forked would share the open folders of other tests' journals.
        workers = min(4, os.cpu_count() or 1)
        self._pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
        self._wanted = wanted
        self._begun: dict[Key, Future[Staged]] = {}

    def get(self, check: str, kind: str) -> Staged:
        for key in dict.fromkeys([(check, kind), *self._wanted]):
            if key not in self._begun:
                self._begun[key] = self._pool.submit(stage, *key)
        return self._begun[check, kind].result(timeout=540)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def stages(request: pytest.FixtureRequest) -> Iterator[Stages]:
    params = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = [each.params["staged"] for each in params if each and "staged" in each.params]
    stages = Stages(wanted)
    yield stages
    stages.close()


@pytest.fixture
def staged(stages: Stages, request: pytest.FixtureRequest) -> Staged:
    """What came of the planting that the test's parameters name."""
    check, kind = request.param
    return stages.get(check, kind)
