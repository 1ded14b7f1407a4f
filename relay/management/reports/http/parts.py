"""Parts of a report that are here: proven pages, or a file that was checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from relay.management.errors import About
from relay.management.http.lists import Proven
from relay.management.notices import Notice, OnNotice
from relay.management.reports import table
from relay.management.reports.http.file import ReportFile
from relay.management.reports.progress import OnProgress, Progress
from relay.management.reports.rows import ReportRow, RowReader, Value


class Part(Protocol):
    """Rows in batches; between two of them others may run. `totals` are TikTok's own sums, None
    where it gave none. `done` is called when all rows were taken, `close` in any case."""

    totals: Mapping[str, Value] | None

    def batches(self) -> Iterator[Iterator[ReportRow]]: ...

    def done(self) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Pages:
    """Pages that proved to be one list."""

    proven: Proven
    reader: RowReader
    totals: Mapping[str, Value] | None = None

    def batches(self) -> Iterator[Iterator[ReportRow]]:
        for page in self.proven.pages():
            yield (self.reader.row(record) for record in page)

    def done(self) -> None:
        pass

    def close(self) -> None:
        self.proven.close()


@dataclass(slots=True)
class File:
    """A file that is whole. `forget` the task when its rows were taken."""

    file: ReportFile
    reader: RowReader
    places: Mapping[str, int]
    about: About
    forget: Callable[[], None]
    totals: Mapping[str, Value] | None = None

    def batches(self) -> Iterator[Iterator[ReportRow]]:
        for batch in table.batches(self.file.file):
            yield self.reader.lines(iter(batch), self.places, self.about)

    def done(self) -> None:
        self.forget()

    def close(self) -> None:
        self.file.close()


@dataclass(slots=True)
class Story:
    """What is told of one report while it is read."""

    on_notice: OnNotice
    on_progress: OnProgress
    notices: list[Notice] = field(default_factory=list)
    calls: int = 0
    about_calls: int | None = None

    def note(self, notice: Notice) -> None:
        if notice not in self.notices:
            self.notices.append(notice)
            self.on_notice(notice)

    def tell(self, progress: Progress) -> None:
        self.on_progress(progress)
