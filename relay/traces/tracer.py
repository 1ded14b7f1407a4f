"""What the pipeline calls: one method for each thing that happens. `OFF` does nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from relay.model import Answer, Arrival, Attempt, DeadLetter, Entry, Reason, Settlement
from relay.traces import arriving, delivering
from relay.traces.identity import Context, Sampler
from relay.traces.span import Moment, Offer, Span
from relay.traces.visit import Visit

if TYPE_CHECKING:
    from relay.clock import Clock

_Pairs = Sequence[tuple[Arrival, Answer]]


class Traces(Protocol):
    """Hears of things after they happened. Nothing here waits or raises."""

    @property
    def is_on(self) -> bool:
        """Whether anything is made of what is told."""

    def visit(self, headers: Mapping[str, str], clock: Clock) -> Visit | None:
        """A request came; None when nobody wants to know how it goes on."""

    def consumed(
        self, pairs: _Pairs, messages: int, senders: Mapping[str, Context],
        times: tuple[Moment, float],
    ) -> None:  # fmt: skip
        """So many messages of a partition are durable; see `arriving.of_messages`."""

    def imported(self, pairs: _Pairs, times: tuple[Moment, float]) -> None:
        """Lines of a file are durable."""

    def replayed(
        self, letter: DeadLetter, arrival: Arrival, answer: Answer, times: tuple[Moment, float]
    ) -> None:
        """A dead letter was put back."""

    def attempted(
        self, attempt: Attempt, entries: Sequence[Entry], settlements: Sequence[Settlement]
    ) -> None:
        """An attempt is recorded, and with it what it settled."""

    def expired(
        self, destination: str, entries: Sequence[Entry], reason: Reason, at: float
    ) -> None:
        """Entries grew too old."""


class Tracer:
    """Keeps a `ratio` (0 to 1) of all traces and hands their spans to `offer`. A mistake of ours in
    making them is told to `broken`, and costs nobody but those who look at traces."""

    is_on: Final = True

    def __init__(self, ratio: float, offer: Offer, broken: Callable[[Exception], None]) -> None:
        self._sampler = Sampler(ratio)
        self._offer = offer
        self._broken = broken

    def visit(self, headers: Mapping[str, str], clock: Clock) -> Visit | None:
        """See `Traces`, as for all below."""
        return Visit(headers, clock, self._sampler, self._tell)

    def consumed(
        self, pairs: _Pairs, messages: int, senders: Mapping[str, Context],
        times: tuple[Moment, float],
    ) -> None:  # fmt: skip
        self._tell(arriving.of_messages(self._sampler, pairs, messages, senders, times))

    def imported(self, pairs: _Pairs, times: tuple[Moment, float]) -> None:
        self._tell(arriving.of_lines(self._sampler, pairs, times))

    def replayed(
        self, letter: DeadLetter, arrival: Arrival, answer: Answer, times: tuple[Moment, float]
    ) -> None:
        pair = (arrival, answer)
        self._tell(arriving.of_replay(self._sampler, pair, letter.receipt, times))

    def attempted(
        self, attempt: Attempt, entries: Sequence[Entry], settlements: Sequence[Settlement]
    ) -> None:
        self._tell(delivering.of_attempt(self._sampler, attempt, entries, settlements))

    def expired(
        self, destination: str, entries: Sequence[Entry], reason: Reason, at: float
    ) -> None:
        self._tell(delivering.of_expiry(self._sampler, destination, entries, reason, at))

    def _tell(self, spans: Iterable[Span]) -> None:
        try:
            for span in spans:
                self._offer(span)
        except Exception as error:  # whoever called has an answer or a lane to look after
            self._broken(error)


class _Off:
    """No traces."""

    is_on: Final = False

    def visit(self, headers: Mapping[str, str], clock: Clock) -> Visit | None:
        return None

    def consumed(
        self, pairs: _Pairs, messages: int, senders: Mapping[str, Context],
        times: tuple[Moment, float],
    ) -> None:  # fmt: skip
        """Nothing, as all below."""

    def imported(self, pairs: _Pairs, times: tuple[Moment, float]) -> None: ...

    def replayed(
        self, letter: DeadLetter, arrival: Arrival, answer: Answer, times: tuple[Moment, float]
    ) -> None: ...

    def attempted(
        self, attempt: Attempt, entries: Sequence[Entry], settlements: Sequence[Settlement]
    ) -> None: ...

    def expired(
        self, destination: str, entries: Sequence[Entry], reason: Reason, at: float
    ) -> None: ...


OFF: Final[Traces] = _Off()
