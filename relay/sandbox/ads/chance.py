"""Chance that follows from a key: the same key gives the same numbers, in whatever order asked."""

from __future__ import annotations

import math
from hashlib import blake2b
from statistics import NormalDist
from struct import Struct
from typing import Final
from zlib import crc32

_SIXTEEN: Final = Struct("<16I").unpack
_THIRTY_TWO: Final = Struct("<32H").unpack
_UNIT: Final = 2.0**-32
#: Odd; moves every bit of a checksum to where it counts (Knuth).
_SPREAD: Final = 2_654_435_761
_SMALL_MEAN: Final = 40.0
_NORMAL: Final = NormalDist()


def _digest(key: tuple[object, ...], size: int) -> bytes:
    return blake2b("/".join(map(str, key)).encode(), digest_size=size).digest()


def draws(*key: object) -> list[float]:
    """Sixteen numbers in [0, 1)."""
    return [each * _UNIT for each in _SIXTEEN(_digest(key, 64))]


def ripple(*key: object) -> list[float]:
    """Thirty-two coarse numbers in [0, 1), for the hours of a day."""
    return [each / 65536 for each in _THIRTY_TWO(_digest(key, 64))]


def number(*key: object) -> int:
    """A number of 64 bits."""
    return int.from_bytes(_digest(key, 8), "little")


def share(key: str) -> float:
    """A number in [0, 1), quickly."""
    return (crc32(key.encode()) * _SPREAD & 0xFFFFFFFF) * _UNIT


def name(size: int, *key: object) -> str:
    """`2 * size` hex digits."""
    return _digest(key, size).hex()


def poisson(mean: float, roll: float) -> int:
    """How many, where `mean` are expected."""
    if mean > _SMALL_MEAN:
        return max(0, round(mean + math.sqrt(mean) * normal(roll)))
    count, below, chance = 0, math.exp(-mean), math.exp(-mean)
    while roll >= below and count < 10 * _SMALL_MEAN:
        count += 1
        chance *= mean / count
        below += chance
    return count


def normal(roll: float) -> float:
    """Standard normal."""
    return _NORMAL.inv_cdf(min(max(roll, 1e-9), 1 - 1e-9))  # the ends are infinitely far


def lognormal(median: float, sigma: float, roll: float) -> float:
    return median * math.exp(sigma * normal(roll))


class Meter:
    """Picks a share evenly: of `n` asked, `floor(n * share)` are picked, whatever the order."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._asked: dict[object, int] = {}

    def picks(self, group: object) -> bool:
        """Is the next one of this group picked?"""
        if not self._share:
            return False
        asked = self._asked[group] = self._asked.get(group, 0) + 1
        return int(asked * self._share + 1e-9) > int((asked - 1) * self._share + 1e-9)
