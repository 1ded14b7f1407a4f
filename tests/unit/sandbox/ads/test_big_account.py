"""An account for measuring: any size, levels that agree, nothing held."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from itertools import islice
from typing import Any

import pytest

from relay.sandbox.ads.big import BigAccount, big_account
from relay.sandbox.ads.figures import COUNTED, SUMMED

LEVELS = ("AUCTION_ADVERTISER", "AUCTION_CAMPAIGN", "AUCTION_ADGROUP", "AUCTION_AD")


def rows(big: BigAccount, level: str, by: str | None, days: int = 0) -> Any:
    account = next(iter(big.advertisers))
    last = big.first_day if days == 1 else big.last_day
    return big.rows(account, level, big.first_day, last, by=by, now=big.now)


def summed(found: Any) -> Counter[str]:
    sums: Counter[str] = Counter()
    for row in found:
        for name in COUNTED | SUMMED:
            sums[name] += row.metrics[name]
    return sums


@pytest.mark.parametrize("by", [None, "stat_time_day"])
def test_levels_agree(by: str | None) -> None:
    big = big_account(ads=500, adgroups=50, days=30)

    whole = summed(rows(big, LEVELS[0], None))
    assert whole["spend"] > 0
    for level in LEVELS:
        assert summed(rows(big, level, by)) == whole


def test_hours_are_those_of_the_day() -> None:
    big = big_account(ads=40, adgroups=4, days=3)

    for level in LEVELS:
        assert summed(rows(big, level, "stat_time_hour", 1)) == summed(rows(big, level, None, 1))


def test_each_object_has_one_row_for_each_span() -> None:
    big = big_account(ads=500, adgroups=50, days=30)

    for level in LEVELS:
        keys = [(row.id, row.at) for row in rows(big, level, "stat_time_day")]
        assert len(set(keys)) == len(keys)
    assert len(list(rows(big, LEVELS[2], "stat_time_day"))) == 50 * 30
    known = next(iter(big.advertisers.values())).ads
    assert {row.id for row in rows(big, LEVELS[3], None)} <= set(known)


def test_a_big_account_is_made_and_read_without_being_held() -> None:
    tracemalloc.start()
    big = big_account(ads=50_000, adgroups=2_000, days=90)
    made = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()

    count = sum(1 for _ in islice(rows(big, LEVELS[3], "stat_time_day"), 50_000))

    assert count == 50_000
    assert tracemalloc.get_traced_memory()[1] - made < 2_000_000
    tracemalloc.stop()
    assert made < 80_000_000
    assert len(next(iter(big.advertisers.values())).ads) == 50_000


def test_ad_groups_have_equally_many_ads() -> None:
    with pytest.raises(ValueError, match="multiple of adgroups"):
        big_account(ads=101, adgroups=10, days=3)
