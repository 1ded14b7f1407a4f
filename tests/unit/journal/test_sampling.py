"""Which delivered events are sampled, and what rows of different shares have in common."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.journal import sample
from relay.journal.sample import Sample, common_share, of_whole_clicks, of_whole_orders, within
from relay.journal.sampling import PLENTY, Sampler, came_from_tiktok, portions
from relay.model import Entry, Event, EventSource, MatchKey
from relay.normalize.event import Normalizer
from relay.normalize.policy import Policy

SALT = b"salt of a test.."
NOW = 1_780_000_000.0
HOUR = 3600


def an_entry(
    number: int, *, order: str | None = None, click: str | None = None, **changes: Any
) -> Entry:
    user = {"external_id": "ab" * 32} | ({"ttclid": click} if click else {})
    keys = MatchKey.EXTERNAL_ID | (MatchKey.TTCLID if click else MatchKey(0))
    entry = Entry(
        number, NOW, f"http:1/{number}", "shop", "Purchase", f"id-{number}", int(NOW), order,
        None, "9.50", "EUR", keys.value, orjson.dumps({"user": user}),
    )  # fmt: skip
    return entry._replace(**changes)


# --- the share ------------------------------------------------------------------------------------


@given(st.integers(0, 10**7), st.integers(1, 5000))
def test_the_share_halves_as_the_count_passes_its_bounds(count: int, more: int) -> None:
    found = portions(count, more)

    assert [start for _, start, _ in found] == [0, *[stop for _, _, stop in found[:-1]]]
    assert found[-1][2] == more
    for halvings, start, stop in found:
        for at in (count + start, count + stop - 1):
            assert PLENTY * (2**halvings - 1) <= at < PLENTY * (2 ** (halvings + 1) - 1)


def test_a_small_shop_is_sampled_whole_and_a_large_one_ever_less() -> None:
    sampler = Sampler(SALT)
    kept = []
    for part in range(62):
        entries = [an_entry(part * 1000 + at, order=f"o-{part}-{at}") for at in range(1000)]
        kept += sampler.sample("web", entries, NOW)

    by_share = Counter(each.sample.share for each in kept)
    assert list(by_share) == [1.0, 0.5, 0.25, 0.125, 0.0625]
    assert by_share[1.0] == PLENTY
    assert all(0.9 * PLENTY < count < 1.1 * PLENTY for count in by_share.values())


def test_each_hour_and_each_event_of_a_destination_begins_anew() -> None:
    sampler = Sampler(SALT)
    entries = [an_entry(at) for at in range(PLENTY + 1)]
    sampler.sample("web", entries, NOW)

    def share(destination: str, name: str, now: float) -> set[float]:
        some = [entry._replace(name=name) for entry in entries[:50]]
        return {each.sample.share for each in sampler.sample(destination, some, now)}

    assert share("web", "Purchase", NOW) == {0.5}
    assert share("crm", "Purchase", NOW) == share("web", "AddToCart", NOW) == {1.0}
    assert share("web", "Purchase", NOW + HOUR) == {1.0}


def test_tests_are_neither_sampled_nor_counted() -> None:
    sampler = Sampler(SALT)
    tests = [an_entry(at, test_event_code="TEST1") for at in range(PLENTY)]

    assert sampler.sample("web", tests, NOW) == []
    (kept,) = sampler.sample("web", [an_entry(0)], NOW)
    assert kept.sample.share == 1


# --- what is kept ---------------------------------------------------------------------------------

some = st.none() | st.integers(0, 40).map(str)
stories = st.lists(st.tuples(some, some), min_size=1, max_size=60)


@cache
def counted(halvings: int) -> tuple[Sampler, dict[tuple[str, str], int]]:
    """One that so many events came before, and what it had counted by then."""
    sampler = Sampler(SALT)
    for _ in range(2**halvings - 1):
        sampler.sample("web", [an_entry(0)] * PLENTY, NOW)
    return sampler, dict(sampler._counts)


def used(halvings: int) -> Sampler:
    """One whose share was halved so many times. To count that far takes long, and is done once."""
    sampler, counts = counted(halvings)
    sampler._counts.clear()
    sampler._counts.update(counts)
    return sampler


@given(stories, st.integers(0, 6))
def test_within_a_share_are_just_those_that_a_sampler_of_that_share_keeps(
    story: list[tuple[str | None, str | None]], halvings: int
) -> None:
    entries = [an_entry(at, order=order, click=click) for at, (order, click) in enumerate(story)]
    every = [each.sample for each in Sampler(SALT).sample("web", entries, NOW)]
    fewer = [each.sample for each in used(halvings).sample("web", entries, NOW)]

    assert len(every) == len(entries)
    assert {each.share for each in fewer} <= {2.0**-halvings}
    assert [each._replace(share=1.0) for each in fewer] == list(within(every, 2.0**-halvings))
    assert list(within(every, 1.0)) == every
    assert common_share([*every, *fewer]) == (2.0**-halvings if fewer else 1.0)


@given(stories)
def test_an_order_or_click_that_is_sampled_for_itself_is_there_with_all_its_events(
    story: list[tuple[str | None, str | None]],
) -> None:
    entries = [an_entry(at, order=order, click=click) for at, (order, click) in enumerate(story)]
    every = [each.sample for each in Sampler(SALT).sample("web", entries, NOW)]

    part = list(within(every, 0.25))

    for whole, name in ((of_whole_orders, "order"), (of_whole_clicks, "click")):
        there: defaultdict[int, list[Sample]] = defaultdict(list)
        for each in whole(part, 0.25):
            there[getattr(each, name)].append(each)
        assert all(
            each == [one for one in every if getattr(one, name) == digest]
            for digest, each in there.items()
        )
        assert set(there) <= {getattr(each, name) for each in every} - {None}


@given(stories, stories)
def test_samples_survive_being_stored(
    one: list[tuple[str | None, str | None]], other: list[tuple[str | None, str | None]]
) -> None:
    entries = [
        an_entry(at, order=order, click=click, value=value, currency=None)
        for at, (order, click) in enumerate([*one, *other])
        for value in (None, "0.10", "1E+2")
    ]

    for _, each in Sampler(SALT).sample("web", entries, NOW + 0.25):
        assert sample.unpack("web", sample.pack(each)) == each


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b"[1,2]", b"null", b'"x"'])
def test_what_is_no_sample_is_told(value: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # orjson's own, too
        sample.unpack("web", value)


# --- what a sample says ---------------------------------------------------------------------------


def the_sample(conversion: dict[str, Any], body: bytes | None = None) -> Sample:
    """Of a conversion as it is really sent."""
    said = {"event": "Purchase", "event_time": int(NOW), "event_id": "7", **conversion}
    event = Normalizer(Policy("shop", EventSource.WEB))(said, now=NOW)
    assert isinstance(event, Event)
    entry = Entry(
        0, NOW, "http:1/0", "shop", event.name, event.event_id, event.event_time, event.order_id,
        None, None, None, event.match_keys, event.wire if body is None else body,
    )  # fmt: skip
    ((_, found),) = Sampler(SALT).sample("web", [entry], NOW)
    return found


PAGE = {"url": "https://shop.example/thanks"}


def test_the_click_is_the_one_in_the_body() -> None:
    sampler = Sampler(SALT)
    sneaky = {"properties": {"ttclid": "other", "description": '"ttclid":"other"'}}

    for page in (PAGE, {"url": "https://shop.example/?ttclid=E.C.P.9"}):
        found = the_sample({"user": {"ttclid": "E.C.P.9", "ip": "1.1.1.1"}, "page": page, **sneaky})
        assert found.click == sampler.digest("E.C.P.9")
    from_page = the_sample({"page": {"url": "https://shop.example/?ttclid=E.C.P.9"}})
    assert from_page.click == sampler.digest("E.C.P.9")
    assert the_sample({"page": PAGE, **sneaky}).click is None


def test_the_buyer_is_who_is_named_best() -> None:
    sampler = Sampler(SALT)
    hashed = {"external_id": "a" * 64, "email": "b" * 64, "phone": "c" * 64}

    def buyer(*names: str) -> int | None:
        return the_sample({"user": {name: hashed[name] for name in names}, "page": PAGE}).buyer

    assert buyer("phone", "email", "external_id") == sampler.digest_of_person("a" * 64)
    assert buyer("phone", "email") == sampler.digest_of_person("b" * 64)
    assert buyer("phone") == sampler.digest_of_person("c" * 64)
    assert buyer() is None
    several = the_sample({"user": {"email": ["d" * 64, "b" * 64]}, "page": PAGE})
    assert several.buyer == sampler.digest_of_person("d" * 64)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"user":[],"page":7}'])
def test_a_body_that_says_nothing_is_sampled_as_such(body: bytes) -> None:
    found = the_sample({"page": PAGE, "order_id": "o"}, body)

    assert (found.buyer, found.click, found.from_tiktok) == (None, None, False)
    assert found.order == Sampler(SALT).digest("o")


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({"url": "https://shop.example/?utm_source=tiktok"}, True),
        ({"url": "https://shop.example/?a=b&utm_source=Paid+TikTok%20Ads#x"}, True),
        ({"url": "https://shop.example/?ttclid=E.C.P.1"}, True),
        ({"url": "https://shop.example/?ttclid="}, False),
        ({"url": "https://shop.example/tiktok?utm_medium=tiktok"}, False),
        ({"url": "https://shop.example/?x=utm_source=tiktok"}, False),
        ({"url": "https://shop.example/", "referrer": "https://www.tiktok.com/@shop"}, True),
        ({"referrer": "https://tiktok.com"}, True),
        ({"referrer": "https://TikTok.com:443/"}, True),
        ({"referrer": "https://nottiktok.com/"}, False),
        ({"referrer": "https://tiktok.com.example/"}, False),
        ({"referrer": "https://[::1/"}, False),
        ({"url": "https://[::1/?ttclid=a"}, False),
        ({"url": 7, "referrer": []}, False),
        ({}, False),
        (None, False),
    ],
)
def test_who_came_from_tiktok_is_told_by_the_page(page: object, expected: bool) -> None:
    assert came_from_tiktok(page) is expected


def test_money_keeps_its_digits() -> None:
    entry = an_entry(0, value="12.50")
    ((_, found),) = Sampler(SALT).sample("web", [entry], NOW)

    assert str(found.value) == "12.50"
    assert isinstance(found.value, Decimal)


def test_another_journal_makes_other_digests() -> None:
    assert Sampler(SALT).digest("7") != Sampler(b"another salt....").digest("7")
