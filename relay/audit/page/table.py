"""Tables: every number of a picture stands in one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from relay.audit.page.markup import Child, Markup, join, tag


class Column(NamedTuple):
    """`is_number`: to the right, in figures of one width."""

    head: str
    is_number: bool = True


class Row(NamedTuple):
    """The first cell names the row. `class_` marks it."""

    cells: Sequence[Child]
    class_: str | None = None


def table(caption: str, columns: Sequence[Column], rows: Iterable[Row]) -> Markup:
    """It scrolls sideways by itself where it is too wide, with the keyboard too."""
    head = tag(
        "tr",
        *(tag("th", each.head, scope="col", class_=_class(each)) for each in columns),
    )
    body = join(*(_row(columns, row) for row in rows))
    made = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", body))
    return tag("div", made, class_="scroll", tabindex="0", role="region", aria_label=caption)


def folded(title: str, *children: Child) -> Markup:
    """Closed until somebody opens it; open on paper."""
    return tag("details", tag("summary", title), *children)


def _row(columns: Sequence[Column], row: Row) -> Markup:
    first, *rest = zip(columns, row.cells, strict=True)
    return tag(
        "tr",
        tag("th", first[1], scope="row", class_=_class(first[0])),
        *(tag("td", cell, class_=_class(column)) for column, cell in rest),
        class_=row.class_,
    )


def _class(column: Column) -> str:
    return "n" if column.is_number else "name"
