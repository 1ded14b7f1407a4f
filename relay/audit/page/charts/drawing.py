"""What all pictures are drawn with: SVG of a fixed width that grows with its place. Pure.

A picture has a title and a description for those who do not see it; what a mark means is in its own
`title`, which a pointer shows without a script.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from relay.audit.page.markup import Child, Markup, join, tag

#: Of a picture in a column, in its own units; about a phone's width.
WIDTH: Final = 440.0


def picture(
    title: str, description: str, height: float, *marks: Child, width: float = WIDTH
) -> Markup:
    return tag(
        "svg",
        tag("title", title),
        tag("desc", description),
        *marks,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        role="img",
        aria_label=f"{title}. {description}",
    )


def rectangle(
    x: float, y: float, width: float, height: float, class_: str, title: str | None = None
) -> Markup:
    return tag(
        "rect",
        None if title is None else tag("title", title),
        x=float(x), y=float(y), width=max(0.0, float(width)), height=max(0.0, float(height)),
        class_=class_,
    )  # fmt: skip


def words(x: float, y: float, said: Child, class_: str | None = None) -> Markup:
    return tag("text", said, x=float(x), y=float(y), class_=class_)


def segment(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return tag("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


class Scale(NamedTuple):
    """From a value to a length: `most` is as long as `length`."""

    most: Decimal
    length: float

    def of(self, value: Decimal | int | None) -> float:
        if value is None or not self.most:
            return 0.0
        return float(max(Decimal(0), Decimal(value)) / self.most) * self.length


def most(values: Sequence[Decimal | int | None]) -> Decimal:
    """The largest; 0 where nothing is known."""
    return max((Decimal(each) for each in values if each is not None), default=Decimal(0))


def curve(points: Sequence[tuple[float, float] | None], class_: str) -> Markup:
    """A line through them, broken where there is none, set off from what lies behind it; a point
    alone is a dot."""
    steps, is_down = [], False
    for point in points:
        if point is None:
            is_down = False
            continue
        steps.append(f"{'L' if is_down else 'M'}{point[0]:.1f} {point[1]:.1f}")
        if not is_down:
            steps.append("l0.01 0")
        is_down = True
    if not steps:
        return Markup("")
    path = " ".join(steps)
    return join(tag("path", d=path, class_="halo"), tag("path", d=path, class_=f"curve {class_}"))


class Key(NamedTuple):
    """What a colour means."""

    label: str
    class_: str
    is_line: bool = False


def legend(y: float, keys: Sequence[Key], x: float = 0.0) -> Markup:
    marks: list[Child] = []
    for key in keys:
        if key.is_line:
            marks.append(_sample(x, y - 4, key.class_))
        else:
            marks.append(rectangle(x, y - 9, 10, 10, key.class_))
        marks.append(words(x + 16, y, key.label, "note"))
        x += 16 + len(key.label) * 5.8 + 14
    return join(*marks)


def _sample(x: float, y: float, class_: str) -> Markup:
    return tag("path", d=f"M{x:.1f} {y:.1f}h12", class_=f"curve {class_}")
