"""What the Marketing API remembers: apps and consents, calls, tasks, reports. Pure."""

from __future__ import annotations

from relay.sandbox.marketing.apps import Apps
from relay.sandbox.marketing.limits import Limits
from relay.sandbox.marketing.settings import MarketingSettings
from relay.sandbox.marketing.shelf import Shelf
from relay.sandbox.marketing.tasks import Tasks


class Desk:
    """Empty at the start, and after a reset of everything."""

    def __init__(self, settings: MarketingSettings) -> None:
        self._settings = settings
        self.forget()
        self.apps = Apps(settings.apps)
        self.tasks = Tasks(settings)

    def forget(self) -> None:
        """Forget calls and the reports that were kept for their pages; consents and tasks stay."""
        self.limits = Limits(self._settings)
        self.reports = Shelf(self._settings.keep_report_bytes)
