"""Work that ends later: what was ordered, by whom, and how far it is. Pure.

A task waits, is worked on, and ends, by the clock alone; its file is made when it is fetched.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Final, Literal

from relay.sandbox.answers import Answer, Code, answer
from relay.sandbox.marketing.faults import FailedTask, Fate
from relay.sandbox.marketing.forms import Form
from relay.sandbox.marketing.settings import MarketingSettings

Status = Literal["QUEUING", "PROCESSING", "SUCCESS", "FAILED", "CANCELED"]

_FIRST_ID: Final = 1_792_350_000_000_000_000


@dataclass(slots=True)
class Task:
    """`token` is a fingerprint; `order` the form that was sent."""

    task_id: str
    path: str
    token: str
    accounts: tuple[str, ...]
    order: Form
    created_at: float
    starts_at: float
    ends_at: float
    fate: Fate | None
    is_canceled: bool = False

    def status(self, now: float) -> Status:
        if self.is_canceled:
            return "CANCELED"
        if now < self.starts_at:
            return "QUEUING"
        if self.fate is not None and self.fate.kind == "stuck_task":
            return self.fate.status
        if now < self.ends_at:
            return "PROCESSING"
        return "FAILED" if self.fate is not None else "SUCCESS"

    @property
    def problem(self) -> str:
        """Why it failed, of one that did."""
        return self.fate.message if isinstance(self.fate, FailedTask) else ""


class Tasks:
    """The last tasks that were created."""

    def __init__(self, settings: MarketingSettings) -> None:
        self._settings = settings
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._made = 0

    def create(self, path: str, token: str, order: Form, fate: Fate | None, now: float) -> Task:
        self._made += 1
        starts_at = now + self._settings.task_queue_s
        task = Task(
            str(_FIRST_ID + self._made),
            path,
            token,
            order.accounts(),
            order,
            now,
            starts_at,
            starts_at + self._settings.task_run_s,
            fate,
        )
        self._tasks[task.task_id] = task
        if len(self._tasks) > self._settings.keep_tasks:
            self._tasks.popitem(last=False)
        return task

    def find(self, path: str, task_id: str, now: float) -> Task | None:
        """A task that was created at this path, and is still valid."""
        task = self._tasks.get(task_id)
        if task is None or task.path != path:
            return None
        return None if now - task.created_at > self._settings.task_valid_s else task

    def mine(
        self, path: str, task_id: str, *, token: str, advertiser_id: str, now: float
    ) -> Task | Answer:
        """A task for whoever created it; others are refused."""
        task = self.find(path, task_id, now)
        if task is None or advertiser_id not in task.accounts:
            return answer(Code.NOT_EXIST, f"The task {task_id} does not exist.")
        if task.token != token:
            return answer(Code.PERMISSION_ERROR, f"No permission to operate task {task_id}")
        return task

    def by_status(self, now: float) -> Counter[str]:
        return Counter(task.status(now) for task in self._tasks.values())
