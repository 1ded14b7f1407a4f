"""Numbers by name of which most are zero: what TikTok counted of sixteen events on one of a hundred
and eighty thousand days. Which names were said, and which of them are zero, is shared by all rows
that are alike in it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeVar, overload

V = TypeVar("V")
D = TypeVar("D")

_MOST_SHAPES: Final = 4_096
_MOST_SHARED: Final = 1 << 14


class Sparse(Mapping[str, V]):
    """A mapping that never changes. `shape` says where in `numbers` the one of a name is."""

    __slots__ = ("_numbers", "_shape")

    def __init__(self, shape: Mapping[str, int], numbers: tuple[V, ...]) -> None:
        self._shape = shape
        self._numbers = numbers

    def __getitem__(self, name: str) -> V:
        return self._numbers[self._shape[name]]

    @overload
    def get(self, name: str, /) -> V | None: ...

    @overload
    def get(self, name: str, /, default: V | D) -> V | D: ...

    def get(self, name: str, /, default: V | D | None = None) -> V | D | None:
        place = self._shape.get(name)
        return default if place is None else self._numbers[place]

    def __iter__(self) -> Iterator[str]:
        return iter(self._shape)

    def __len__(self) -> int:
        return len(self._shape)

    def __repr__(self) -> str:
        return repr(dict(self))


def sparse(names: tuple[str, ...], numbers: Sequence[V | None], zero: V) -> Mapping[str, V]:
    """The numbers of these names, in their order; a name whose number is None stays out."""
    said = bytes([2 if number else number is not None for number in numbers])
    return _shared(names, said, (*[number for number in numbers if number], zero))


@lru_cache(maxsize=_MOST_SHARED)
def _shared(names: tuple[str, ...], said: bytes, numbers: tuple[V, ...]) -> Mapping[str, V]:
    """Most rows are of small ad groups, and small numbers repeat."""
    return Sparse(_shape(names, said), numbers)


@lru_cache(maxsize=_MOST_SHAPES)
def _shape(names: tuple[str, ...], said: bytes) -> Mapping[str, int]:
    """Zeros are all in the last place, after those that are none."""
    shape, place, last = {}, 0, said.count(2)
    for name, how in zip(names, said, strict=True):
        if how == 2:
            shape[name], place = place, place + 1
        elif how == 1:
            shape[name] = last
    return shape
