"""From arrival to spend: of the whole period, and day by day. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from relay.audit.facts import Period
from relay.audit.page.charts.drawing import (
    WIDTH,
    Key,
    Scale,
    curve,
    legend,
    most,
    picture,
    rectangle,
    segment,
    words,
)
from relay.audit.page.markup import Child, Markup
from relay.audit.summary.funnel import Flow, Passage
from relay.audit.wording import amount, count, money, plain, share, short_day

_ROW = 30.0
_LEFT, _RIGHT, _SHARE = 84.0, 132.0, 60.0


class _Bar(NamedTuple):
    """`parts` lie one behind the other."""

    label: str
    parts: Sequence[tuple[int | None, str]]
    number: int | None
    share: str = ""


def whole(flow: Flow, currency: str) -> Markup:
    """The whole period: a bar for each stage, what it is of the delivered, and the spend."""
    bars, total = _bars(flow.total), flow.total
    scale = Scale(
        most([sum(number or 0 for number, _ in bar.parts) for bar in bars]), WIDTH - _LEFT - _RIGHT
    )
    marks: list[Child] = []
    for index, bar in enumerate(bars):
        marks += _row(bar, index * _ROW, scale)
    bottom = len(bars) * _ROW
    marks += [
        segment(0, bottom + 3, WIDTH, bottom + 3, "axis"),
        rectangle(0, bottom + 13, 10, 10, "spend"),
        words(16, bottom + 22, "spend"),
        words(WIDTH, bottom + 22, money(total.spend, currency), "end strong"),
    ]
    title = f"Funnel of {plain(flow.event)}, {plain(flow.channel.label)}"
    said = "; ".join(f"{bar.label} {count(bar.number)} {bar.share}".strip() for bar in bars)
    return picture(title, f"{said}; spend {money(total.spend, currency)}", bottom + 30, *marks)


def _bars(total: Passage) -> Sequence[_Bar]:
    """Shares are of the delivered."""

    def bar(class_: str, number: int | None) -> _Bar:
        return _Bar(class_, [(number, class_)], number, _of(number, total.delivered))

    both = [(total.server, "server"), (total.browser, "browser")]
    return [
        _Bar("arrived", [(total.arrivals, "arrived")], total.arrivals),
        _Bar("delivered", [(total.delivered, "delivered")], total.delivered),
        bar("server", total.server),
        bar("browser", total.browser),
        _Bar("counted", both, total.counted),
        bar("attributed", total.attributed),
        bar("reported", total.reported),
    ]


def _row(bar: _Bar, y: float, scale: Scale) -> Iterator[Markup]:
    yield words(0, y + 17, bar.label)
    yield rectangle(_LEFT, y + 4, scale.length, 18, "track")
    x = _LEFT
    for number, class_ in bar.parts:
        width = scale.of(number)
        yield rectangle(x, y + 4, width, 18, class_, f"{class_}: {count(number)}")
        x += width
    yield words(WIDTH - _SHARE, y + 17, count(bar.number), "end strong")
    if bar.share:
        yield words(WIDTH, y + 17, bar.share, "end")


_TOP, _HEIGHT = 26.0, 116.0
_SPEND_TOP, _SPEND_HEIGHT = 172.0, 44.0
_KEYS = (
    Key("arrived", "arrived"),
    Key("delivered", "delivered"),
    Key("attributed", "attributed"),
    Key("TikTok, server", "server", is_line=True),
)


def daily(flow: Flow, immature: Period | None, currency: str) -> Markup:
    """Every day: arrived behind delivered, attributed before it, TikTok's count from the server as
    a line over them, the spend below. Days too young to judge stand on grey."""
    days = [*flow.days.items()]
    step = WIDTH / len(days)
    counts = Scale(most([n for _, p in days for n in _drawn(p)]), _HEIGHT)
    spends = Scale(most([passage.spend for _, passage in days]), _SPEND_HEIGHT)
    marks: list[Child] = [legend(10, _KEYS), *_young(days, immature, step)]
    points: list[tuple[float, float] | None] = []
    for index, (day, passage) in enumerate(days):
        marks += _day(index * step, step, (day, passage), counts)
        marks.append(_spend(index * step, step, (day, passage), spends, currency))
        x, base = (index + 0.5) * step, _TOP + _HEIGHT
        points.append(None if passage.server is None else (x, base - counts.of(passage.server)))
    marks += [curve(points, "server"), *_axes(days, counts, spends, currency)]
    title = f"{plain(flow.event)} by day, {plain(flow.channel.label)}"
    said = (
        "Arrived, delivered, counted from the server, attributed and spent on each day; the "
        "numbers are in the table"
    )
    return picture(title, said, _SPEND_TOP + _SPEND_HEIGHT + 18, *marks)


def _of(number: int | None, whole: int | None) -> str:
    """As a share; a thousand per cent and more says nothing, and has no room."""
    if number is not None and whole is not None and number >= 10 * whole:
        return ""
    return share(number, whole)


def _drawn(passage: Passage) -> Sequence[int | None]:
    return passage.arrivals, passage.delivered, passage.server, passage.attributed


def _young(
    days: Sequence[tuple[date, Passage]], immature: Period | None, step: float
) -> Iterator[Markup]:
    if immature is None:
        return
    first = (immature.first - days[0][0]).days * step
    yield rectangle(
        first, _TOP - 4, WIDTH - first, _SPEND_TOP + _SPEND_HEIGHT - _TOP + 4, "young",
        "too young: TikTok still adds conversions to these days",
    )  # fmt: skip


def _day(x: float, step: float, day: tuple[date, Passage], scale: Scale) -> Iterator[Markup]:
    when, passage = day
    base, width = _TOP + _HEIGHT, step * 0.76
    layers = (
        (passage.arrivals, "arrived"),
        (passage.delivered, "delivered"),
        (passage.attributed, "attributed"),
    )
    for number, class_ in layers:
        height = scale.of(number)
        said = f"{short_day(when)}: {class_} {count(number)}"
        yield rectangle(x + step * 0.12, base - height, width, height, class_, said)


def _spend(x: float, step: float, day: tuple[date, Passage], scale: Scale, currency: str) -> Markup:
    when, passage = day
    height, base = scale.of(passage.spend), _SPEND_TOP + _SPEND_HEIGHT
    said = f"{short_day(when)}: spend {money(passage.spend, currency)}"
    return rectangle(x + step * 0.12, base - height, step * 0.76, height, "spend", said)


def _axes(
    days: Sequence[tuple[date, Passage]], counts: Scale, spends: Scale, currency: str
) -> Iterator[Markup]:
    base, low = _TOP + _HEIGHT, _SPEND_TOP + _SPEND_HEIGHT
    yield segment(0, base + 0.5, WIDTH, base + 0.5, "axis")
    yield segment(0, low + 0.5, WIDTH, low + 0.5, "axis")
    yield words(WIDTH, 10, f"most {counts.most:,}", "note end")
    spent = f"spend, most {amount(spends.most, currency)} {plain(currency, 8)} a day"
    yield words(0, _SPEND_TOP - 10, spent if spends.most else "no spend is known", "note")
    yield words(0, low + 14, short_day(days[0][0]), "note")
    yield words(WIDTH / 2, low + 14, short_day(days[len(days) // 2][0]), "note mid")
    yield words(WIDTH, low + 14, short_day(days[-1][0]), "note end")
