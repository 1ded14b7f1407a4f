"""How many calls an app may make, and how many tasks. Pure.

Windows slide: so many in any one second, in any sixty. What is refused for the second counts for
the minute, so whoever hammers is restricted in the end. The texts were all seen.
"""

from __future__ import annotations

from collections import Counter, deque

from relay.sandbox.answers import Answer, Code, answer
from relay.sandbox.marketing.settings import DAY_S, MarketingSettings


class Window:
    """How many there were in the last `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque()

    def count(self, now: float) -> int:
        times = self._times
        while times and times[0] <= now - self._seconds:
            times.popleft()
        return len(times)

    def add(self, now: float) -> None:
        self._times.append(now)


class _App:
    """What one app did of late."""

    def __init__(self) -> None:
        self.second, self.minute = Window(1.0), Window(60.0)
        self.task_second, self.task_day = Window(1.0), Window(DAY_S)
        self.restricted_until = 0.0


class Limits:
    """The limits in force, and what was counted on the way."""

    def __init__(self, settings: MarketingSettings) -> None:
        self._settings = settings
        self._apps: dict[str, _App] = {}
        self._accounts: dict[tuple[str, str], Window] = {}
        self.calls: Counter[str] = Counter()
        self.throttled: Counter[str] = Counter()
        self.most_per_second = 0
        self.most_per_minute = 0

    def refusal(self, app_id: str, path: str, now: float) -> Answer | None:
        """Count a call of an app; why it comes too early, or None."""
        self.calls[path] += 1
        refused = self._refusal(app_id, self._apps.setdefault(app_id, _App()), now)
        if refused is not None:
            self.throttled[path] += 1
        return refused

    def _refusal(self, app_id: str, app: _App, now: float) -> Answer | None:
        if now < app.restricted_until:
            return _too_many(
                f"Due to too many requests, requests from App {app_id} are temporarily restricted."
            )
        app.minute.add(now)
        in_minute, in_second = app.minute.count(now), app.second.count(now) + 1
        self.most_per_minute = max(self.most_per_minute, in_minute)
        self.most_per_second = max(self.most_per_second, in_second)
        if 0 < self._settings.calls_per_minute < in_minute:
            app.restricted_until = now + self._settings.restricted_s
            return answer(Code.REQUEST_TOO_FREQUENT)
        if 0 < self._settings.calls_per_second < in_second:
            return _too_many("App reaches the QPS limit.")
        app.second.add(now)
        return None

    def task_refusal(self, app_id: str, advertiser_id: str, path: str, now: float) -> Answer | None:
        """Count a task that an app creates for an account; why it comes too early, or None."""
        app = self._apps.setdefault(app_id, _App())
        account = self._accounts.setdefault((app_id, advertiser_id), Window(3_600.0))
        settings = self._settings
        if _is_full(app.task_second, settings.tasks_per_second, now):
            self.throttled[path] += 1
            return answer(Code.BIZ_FC_ERROR, "App reaches the QPS limit.")
        if _is_full(app.task_day, settings.tasks_per_day, now):
            self.throttled[path] += 1
            return answer(Code.BIZ_FC_ERROR)
        if _is_full(account, settings.tasks_per_account_hour, now):
            self.throttled[path] += 1
            return answer(Code.ADVERTISER_TOO_FREQUENT)
        for window in (app.task_second, app.task_day, account):
            window.add(now)
        return None


def _is_full(window: Window, most: int, now: float) -> bool:
    return 0 < most <= window.count(now)


def _too_many(text: str) -> Answer:
    return answer(Code.REQUEST_TOO_FREQUENT, text)
