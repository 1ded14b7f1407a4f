"""What the audit's tests share: rehearsals, each made once, several at a time; but for workers of
pytest-xdist, which make each their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

import pytest

from relay.audit.findings import Audit
from tests.audit.clean import Clean, live_clean
from tests.audit.staging import Staged, stage

#: What makes the value of each of these fixtures, from their parameter.
_MAKERS: dict[str, Callable[[Any], Any]] = {"staged": stage, "clean_audit": live_clean}


class _Job(NamedTuple):
    fixture: str
    param: Any


class Rehearsals:
    """Under way and done. Those of all collected tests are begun with the first; where the tests
    are shared out among workers, each when it is asked for."""

    def __init__(self, wanted: list[_Job]) -> None:
        # A process that was forked would share the open folders of other tests' journals.
        workers = min(4, os.cpu_count() or 1)
        self._is_worker = "PYTEST_XDIST_WORKER" in os.environ
        context = get_context("spawn")
        self._pool = ProcessPoolExecutor(1 if self._is_worker else workers, mp_context=context)
        self._begun: dict[_Job, Future[Any]] = {}
        for job in () if self._is_worker else wanted:
            self._begin(job)

    def _begin(self, job: _Job) -> Future[Any]:
        if job not in self._begun:
            self._begun[job] = self._pool.submit(_MAKERS[job.fixture], job.param)
        return self._begun[job]

    def result(self, job: _Job) -> Any:
        return self._begin(job).result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def rehearsals(request: pytest.FixtureRequest) -> Iterator[Rehearsals]:
    wanted = [
        _Job(fixture, params[fixture])
        for item in request.session.items
        if isinstance(params := getattr(getattr(item, "callspec", None), "params", None), dict)
        for fixture in _MAKERS.keys() & params.keys()
    ]
    made = Rehearsals(wanted)
    yield made
    made.close()


@pytest.fixture
def staged(rehearsals: Rehearsals, request: pytest.FixtureRequest) -> Staged:
    """What came of the planting that the test's parameter names."""
    found: Staged = rehearsals.result(_Job("staged", request.param))
    return found


@pytest.fixture
def clean_audit(rehearsals: Rehearsals, request: pytest.FixtureRequest) -> tuple[Clean, Audit]:
    """The audit of clean days, and which they were."""
    return request.param, rehearsals.result(_Job("clean_audit", request.param))
