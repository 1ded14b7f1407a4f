"""Where events come from and what TikTok counted: pixels, sets, custom conversions, statistics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Final

from relay.management import endpoints
from relay.management.http.lists import Listing, Question, Read
from relay.management.http.reads import Reads
from relay.management.models.events import (
    CrmSet,
    CustomConversion,
    EventStatistic,
    OfflineSet,
    Pixel,
    read_crm_set,
    read_custom_conversion,
    read_offline_set,
    read_pixel,
    read_statistics,
)
from relay.management.query import an_id, days, in_parts

_MOST_PIXELS: Final = 10
_MOST_DAYS: Final = 30


class EventReads(Reads):
    """Event sources and their counts."""

    def pixels(self, advertiser_id: str, *, code: str | None = None) -> Listing[Pixel]:
        """Pixels with their events; a new event may be missing for four hours."""
        params = {"advertiser_id": an_id("advertiser_id", advertiser_id), "code": code}
        return self._listing(endpoints.PIXEL, params, read_pixel)

    def event_statistics(
        self, advertiser_id: str, pixel_ids: Sequence[str], first: date, last: date
    ) -> Listing[EventStatistic]:
        """What pixels counted, for each day of UTC from `first` to `last`.

        TikTok gives sums over a range without days in it, so each day is asked for by itself.
        """
        _in_order(first, last)
        spans = ((first + timedelta(days=day),) * 2 for day in range((last - first).days + 1))
        return self._statistics(advertiser_id, pixel_ids, spans)

    def event_sums(
        self, advertiser_id: str, pixel_ids: Sequence[str], first: date, last: date
    ) -> Listing[EventStatistic]:
        """The same in one sum for all the days, 30 at most."""
        days("date_range", first, last, _MOST_DAYS)
        return self._statistics(advertiser_id, pixel_ids, iter([(first, last)]))

    def offline_sets(self, advertiser_id: str) -> Listing[OfflineSet]:
        """Offline event sets."""
        params = {"advertiser_id": an_id("advertiser_id", advertiser_id)}
        return self._listing(endpoints.OFFLINE, params, read_offline_set)

    def crm_sets(self, advertiser_id: str) -> Listing[CrmSet]:
        """CRM event sets."""
        params = {"advertiser_id": an_id("advertiser_id", advertiser_id)}
        return self._listing(endpoints.CRM, params, read_crm_set)

    def custom_conversions(
        self, advertiser_id: str, event_source_id: str, *, event_source_type: str = "PIXEL"
    ) -> Listing[CustomConversion]:
        """Custom conversions of a pixel (its numeric id) or of an app (`APP`)."""
        params = {
            "advertiser_id": an_id("advertiser_id", advertiser_id),
            "event_source_type": event_source_type,
            "event_source_id": an_id("event_source_id", event_source_id),
        }
        return self._listing(endpoints.CUSTOM_CONVERSION, params, read_custom_conversion)

    def _statistics(
        self, advertiser_id: str, pixel_ids: Sequence[str], spans: Iterator[tuple[date, ...]]
    ) -> Listing[EventStatistic]:
        an_id("advertiser_id", advertiser_id)
        parts = in_parts([an_id("pixel_ids", each) for each in pixel_ids], _MOST_PIXELS)

        def questions() -> Iterator[tuple[Question, Read[EventStatistic]]]:
            for first, last in spans:
                for part in parts:
                    params = {
                        "advertiser_id": advertiser_id,
                        "pixel_ids": part,
                        "date_range": days("date_range", first, last, _MOST_DAYS),
                    }
                    read = partial(read_statistics, first=first, last=last)
                    yield Question(endpoints.PIXEL_STATS, params), read

        return self._listings(questions())


def _in_order(first: date, last: date) -> None:
    days("date_range", first, last, most=(last - first).days + 1)
