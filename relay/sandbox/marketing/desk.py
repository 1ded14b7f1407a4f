"""What the Marketing API remembers: apps and consents, calls, tasks, reports. Pure."""

from __future__ import annotations

from relay.sandbox.marketing.limits import Limits
from relay.sandbox.marketing.settings import MarketingSettings
from relay.sandbox.marketing.shelf import Shelf


class Desk:
    """Empty at the start, and after a reset of everything."""

    def __init__(self, settings: MarketingSettings) -> None:
        self.limits = Limits(settings)
        self.reports = Shelf(settings.keep_report_bytes)
