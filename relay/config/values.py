"""Values that a person writes with a unit: durations, sizes, addresses, countries, secrets.

Each is a pydantic type that takes the text and gives the number; `unit` in a name is the unit of
the number. No message repeats what was written: it may be a token in the wrong place.
"""

from __future__ import annotations

import os
import re
from typing import Annotated, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from relay.secrets import REFERENCE, Secret

_DURATION = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"
_SIZE = r"^[0-9]+(\.[0-9]+)?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?$"
_ADDRESS = r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):[0-9]{1,5}$"
_PASSWORD = re.compile(r"(?is)[a-z][a-z0-9+.-]*://(.*:.*@|.*[?&]password=)")

_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_BYTES = {
    "B": 1,
    "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip

#: ISO 3166-1 alpha-2, as of 2026.
_COUNTRIES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR "
    "BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ "
    "EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW "
    "GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY "
    "KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV "
    "MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY "
    "QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG "
    "TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM "
    "ZW"
)


def refusal(kind: str, problem: str, mend: str) -> PydanticCustomError:
    """An error that carries its own mend, for validators to raise."""
    return PydanticCustomError(kind, "{problem}", {"problem": problem, "mend": mend})


def seconds(text: object) -> float:
    """`"500ms"`, `"90s"`, `"15m"`, `"12h"`, `"7d"` in seconds."""
    if not isinstance(text, str) or not re.fullmatch(_DURATION, text):
        raise refusal(
            "duration", "not a duration", 'Write a number and a unit: "500ms", "90s", "15m", "7d"'
        )
    number, unit = _split(text)
    return float(number) * _MILLISECONDS[unit] / 1000


def size_bytes(text: object) -> int:
    """`"10GiB"`, `"16MB"`, `"1000000"` or a plain number, in bytes."""
    if isinstance(text, int) and not isinstance(text, bool) and text >= 0:
        return text
    if not isinstance(text, str) or not re.fullmatch(_SIZE, text):
        raise refusal("size", "not a size", 'Write a number and a unit: "16MB", "10GiB"')
    number, unit = _split(text)
    return int(float(number) * _BYTES[unit or "B"])


def _split(text: str) -> tuple[str, str]:
    number = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return number, text[len(number) :]


def as_duration(value: float) -> str:
    """The shortest text that `seconds` reads back: 604800.0 is "7d"."""
    milliseconds = value * 1000
    for unit in ("d", "h", "m", "s"):
        if value and milliseconds % _MILLISECONDS[unit] == 0:
            return f"{milliseconds / _MILLISECONDS[unit]:.0f}{unit}"
    return f"{milliseconds:.15g}ms"


def as_size(value: int) -> str:
    """The shortest text that `size_bytes` reads back: 16000000 is "16MB"."""
    for unit in ("TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "kB"):
        if value and value % _BYTES[unit] == 0:
            return f"{value // _BYTES[unit]}{unit}"
    return f"{value}B"


_EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104  # compared, not bound


class Address(NamedTuple):
    """Where to listen; `host` may be empty (everywhere), `port` 0 (any free one)."""

    host: str
    port: int

    @property
    def from_here(self) -> Address:
        """Where this machine finds who listens there: everywhere is also here."""
        return self if self.host not in _EVERYWHERE else Address("127.0.0.1", self.port)

    @property
    def is_loopback(self) -> bool:
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    def overlaps(self, other: Address) -> bool:
        """Whether both cannot be listened to at the same time."""
        meets = self.host == other.host or bool(_EVERYWHERE & {self.host, other.host})
        return self.port == other.port != 0 and meets

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _address(text: object) -> Address:
    if isinstance(text, Address):
        return text
    if isinstance(text, str) and re.fullmatch(_ADDRESS, text):
        host, _, port = text.rpartition(":")
        if int(port) < 65_536:
            return Address(host.strip("[]"), int(port))
    raise refusal("address", "not an address to listen on", 'Write HOST:PORT, as "127.0.0.1:8081"')


def _country(text: str) -> str:
    if not (len(text) == 2 and text.isalpha() and text in _COUNTRIES):
        hint = 'The United Kingdom is "GB"' if text.upper() == "UK" else 'Write it as "DE" or "US"'
        raise refusal("country", "not an ISO 3166 country of two capital letters", hint)
    return text


def holds_password(address: str) -> bool:
    """Whether a password stands in it, also one that was not percent-encoded: a `/`, `?` or `#` in
    it ends what a parser takes for the part with the user. So all before the last `@` counts; a
    path with an `@` behind a port is rarer than such a password."""
    if _PASSWORD.match(address):
        return True
    try:
        return any(name == "password" for name, _ in parse_qsl(urlsplit(address).query))
    except ValueError:
        return False


def _http_url(text: str) -> str:
    if holds_password(text):
        raise refusal(
            "secret",
            "a password does not belong in an address (it is not shown here)",
            "Write the address alone; renew the password if others can read this configuration",
        )
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, an unclosed bracket
        good = False
    if not good or any(c.isspace() for c in text):
        raise refusal("url", "not a web address", 'Write it in full: "https://shop.example/"')
    return text


def _secret(text: object, info: ValidationInfo) -> Secret:
    if isinstance(text, Secret):
        return text
    try:
        return Secret(str(text).strip(), (info.context or {}).get("environ", os.environ))
    except ValueError:
        problem = "a secret itself does not belong in the configuration (it is not shown here)"
        mend = (
            "Put it into an environment variable and write env:NAME, or into a file and write "
            "file:PATH; renew it if others can read this configuration"
        )
        raise refusal("secret", problem, mend) from None


def between(lowest: str, highest: str) -> AfterValidator:
    """A bound for durations and sizes, written as a person writes them."""
    is_duration = re.fullmatch(_DURATION, lowest) is not None
    measure = seconds if is_duration else size_bytes
    low, high = measure(lowest), measure(highest)

    def check(value: float) -> float:
        if not low <= value <= high:
            raise refusal("range", "out of range", f"Write {lowest} to {highest}")
        return value

    return AfterValidator(check)


def _pattern(pattern: str, *, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


Seconds = Annotated[
    float,
    BeforeValidator(seconds),
    PlainSerializer(as_duration, return_type=str, when_used="json"),
    _pattern(_DURATION, example="7d"),
]
SizeBytes = Annotated[
    int,
    BeforeValidator(size_bytes),
    PlainSerializer(as_size, return_type=str, when_used="json"),
    _pattern(_SIZE, example="10GiB"),
]
ListenOn = Annotated[
    Address,
    PlainValidator(_address),
    PlainSerializer(str, return_type=str, when_used="json"),
    _pattern(_ADDRESS, example="127.0.0.1:8081"),
]
SecretRef = Annotated[
    Secret,
    PlainValidator(_secret),
    PlainSerializer(lambda secret: secret.reference, return_type=str),
    _pattern(REFERENCE, example="env:NAME"),
]
Country = Annotated[str, AfterValidator(_country), _pattern("^[A-Z]{2}$", example="DE")]
HttpUrl = Annotated[
    str, AfterValidator(_http_url), _pattern("^https?://.+$", example="https://shop.example/")
]
