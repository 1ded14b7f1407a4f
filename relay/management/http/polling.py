"""A task at TikTok, asked after until it has ended."""

from __future__ import annotations

from collections.abc import Callable

from relay import scrub
from relay.backoff import delay
from relay.management.endpoints import Endpoint
from relay.management.errors import About, DeadlineExceeded, TaskFailed
from relay.management.http.calls import Caller
from relay.management.reports.tasks import TaskState, state_of

#: Told of each state as it is seen.
OnState = Callable[[TaskState], None]


def _nobody(_state: TaskState) -> None:
    pass


async def made(
    caller: Caller,
    check: Endpoint,
    advertiser_id: str,
    task_id: str,
    *,
    on_state: OnState = _nobody,
) -> None:
    """Wait until the task is done. Raises `TaskFailed`, and `DeadlineExceeded` after
    `patience.task_s`: the task goes on then."""
    about = About(check.path, advertiser_id)
    deadline = caller.clock.monotonic() + caller.patience.task_s
    polls = 0
    while True:
        left_s = deadline - caller.clock.monotonic()
        answer = await caller.call(
            check,
            {"advertiser_id": advertiser_id, "task_id": task_id},
            # Never so short that it could not be answered.
            within_s=min(max(left_s, caller.patience.answer_s), caller.patience.call_s),
        )
        state = state_of(answer.data.text("status"))
        on_state(state)
        if state is TaskState.DONE:
            return
        if state in (TaskState.FAILED, TaskState.CANCELED):
            why = scrub.message(answer.data.text("message")) or "TikTok does not say why"
            about = answer.about
            raise TaskFailed(
                f"The task ended as {state}: {why}", about, task_id=task_id, status=state
            )
        polls += 1
        pause_s = delay(polls, caller.patience.poll, caller.roll())
        if caller.clock.monotonic() + pause_s > deadline:
            raise DeadlineExceeded(
                f"TikTok is still making it (task {task_id}); ask again later to go on", about
            )
        await caller.clock.sleep(pause_s)
