"""What a conversion costs and brings, by whose count. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

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
from relay.audit.summary.money import Triple
from relay.audit.wording import UNKNOWN, short_day

_LEFT, _RIGHT, _ROW = 74.0, 96.0, 34.0
_NAMES = ("platform", "verified", "blended")
_TOP, _HEIGHT = 30.0, 116.0

Written = Callable[[Decimal | None], str]


def three(title: str, triple: Triple, written: Written) -> Markup:
    """A bar each."""
    scale = Scale(most([*triple]), WIDTH - _LEFT - _RIGHT)
    marks: list[Child] = []
    for index, (name, value) in enumerate(zip(_NAMES, triple, strict=True)):
        y = index * _ROW
        marks += [
            words(0, y + 19, name),
            rectangle(_LEFT, y + 4, scale.length, 22, "track"),
            rectangle(_LEFT, y + 4, scale.of(value), 22, name, f"{name}: {written(value)}"),
            words(WIDTH, y + 19, written(value), "end strong"),
        ]
    said = "; ".join(f"{name} {written(value)}" for name, value in zip(_NAMES, triple, strict=True))
    return picture(title, said, 3 * _ROW, *marks)


def running(title: str, days: Sequence[tuple[date, Triple]], written: Written) -> Markup:
    """Of seven days, by the last of them."""
    scale = Scale(most([each for _, triple in days for each in triple]), _HEIGHT)
    step = WIDTH / max(1, len(days) - 1)
    base = _TOP + _HEIGHT
    marks: list[Child] = [
        legend(10, [Key(name, name, is_line=True) for name in _NAMES]),
        words(WIDTH, 10, f"most {written(scale.most)}", "note end"),
        segment(0, base + 0.5, WIDTH, base + 0.5, "axis"),
    ]
    for index, name in enumerate(_NAMES):
        marks.append(curve(_points([triple[index] for _, triple in days], scale, step), name))
    marks += [
        words(0, base + 15, short_day(days[0][0]), "note"),
        words(WIDTH, base + 15, short_day(days[-1][0]), "note end"),
    ]
    last = "; ".join(
        f"{name} {UNKNOWN if value is None else written(value)}"
        for name, value in zip(_NAMES, days[-1][1], strict=True)
    )
    return picture(title, f"At the end: {last}; the numbers are in the table", base + 20, *marks)


def _points(
    values: Sequence[Decimal | None], scale: Scale, step: float
) -> Sequence[tuple[float, float] | None]:
    base = _TOP + _HEIGHT
    return [
        None if value is None else (index * step, base - scale.of(value))
        for index, value in enumerate(values)
    ]
