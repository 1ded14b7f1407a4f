"""Tasks remembered in a file, so that a report goes on after a crash.

The file holds digests, ids of tasks and moments; it is readable by its owner only.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from relay.management.reports.tasks import Remembered

#: TikTok keeps a task for 30 days; there is no use in remembering it longer.
_KEPT_S: Final = 30 * 86_400.0
_VERSION: Final = 1


class FileTaskStore:
    """A `TaskStore` in one JSON file. A file that cannot be read counts as empty; one that cannot
    be written raises OSError, for then a crash would cost a task."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def recall(self, key: str) -> Remembered | None:
        return self._read().get(key)

    def remember(self, key: str, task: Remembered) -> None:
        kept = {
            other: each
            for other, each in self._read().items()
            if task.created_at - each.created_at < _KEPT_S
        }
        self._write(kept | {key: task})

    def forget(self, key: str) -> None:
        tasks = self._read()
        if tasks.pop(key, None) is not None:
            self._write(tasks)

    def _read(self) -> dict[str, Remembered]:
        try:
            document = orjson.loads(self._path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return {}
        listed = document.get("tasks") if isinstance(document, dict) else None
        found = listed.items() if isinstance(listed, dict) else ()
        return {key: task for key, each in found if (task := _task(each)) is not None}

    def _write(self, tasks: dict[str, Remembered]) -> None:
        document = {
            "version": _VERSION,
            "tasks": {key: task._asdict() for key, task in tasks.items()},
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # `mkstemp` makes it with mode 0600; a crash leaves the old file whole.
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(orjson.dumps(document))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise


def _task(each: Any) -> Remembered | None:
    if not isinstance(each, dict):
        return None
    task_id, created_at = each.get("task_id"), each.get("created_at")
    if isinstance(task_id, str) and isinstance(created_at, int | float):
        return Remembered(task_id, float(created_at))
    return None
