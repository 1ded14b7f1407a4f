"""Page addresses without personal data and secrets.

TikTok wants the full URL with its parameters, and flags personal data in it ("potentially
prohibited data", Events Manager diagnostics). So a parameter goes when its name says that it holds
such data, or when its value looks like an e-mail address or a phone number; all others stay as they
are, byte for byte, among them `ttclid` and `utm_…`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from relay.normalize.fields import Flaw, Flawed, dropped, kept, words

_MAX_LENGTH: Final = 8192

#: A URL whose path and parameter values need no look: nothing encoded that could be an "@" or "+".
_PLAIN: Final = re.compile(
    r"""
    https?://[\w.:-]++
    (?: / (?:[\w./~!$&'*,=:-]++ | %(?!25|2B|40)[0-9A-F]{2})*+ )?
    (?: \? ( (?: [\w./~!*,:&=-]++ | %(?!25|2B|40)[0-9A-F]{2})*+ ) )?
    \Z""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
).match
_START: Final = re.compile(r"https?://[^\s/?#]", re.IGNORECASE).match
_NOT_IN_URL: Final = re.compile(r"[\s\x00-\x20\x7f\ud800-\udfff]").search
#: An "@", also percent-encoded once or more often.
_AT: Final = re.compile(r"@|%(?:25)*40").search
#: One that is not the first character: `/@handle` is no e-mail address.
_AT_INSIDE: Final = re.compile(r".(?:@|%(?:25)*40)").search
#: An international number. Zeros alone are no prefix: order numbers are padded with them.
_PHONE: Final = re.compile(
    r"(?:(?:\+|%2B)|00[1-9]\d\d)(?:[\d.()/\-+]|%2[089DF]){7,40}\Z", re.IGNORECASE | re.ASCII
).match
_PLAIN_FRAGMENT: Final = re.compile(r"[\w/!.~:-]*\Z").match
_CLICK_ID: Final = re.compile(r"[?&]ttclid=([^&#]+)").search

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_MAX_KEY: Final = 64

#: One of these among the words of a parameter's name, and it goes.
_PRIVATE: Final = words(
    """
    email mail emailaddress phone phonenumber tel telephone mobile msisdn cellphone whatsapp
    firstname lastname fullname surname forename fname lname username login
    address street zip zipcode postcode postalcode birthday birthdate dob ssn iban passport
    password passwd pwd pass secret token apikey key auth authorization jwt otp pin
    session sessionid sid sig signature
    """
)
#: Words that make a "name" that of a person.
_OF_PERSON: Final = words(
    """
    first last full user given family middle sur nick display customer contact billing shipping
    recipient buyer
    """
)


def page_url(raw: object) -> str | Flawed | None:
    """An http or https URL, cleared of personal data and secrets."""
    if not isinstance(raw, str) or len(raw) > _MAX_LENGTH:
        return dropped(Flaw.TOO_LONG if isinstance(raw, str) else Flaw.NOT_A_URL)
    text = raw.strip()
    if found := _PLAIN(text):
        query = found[1]
        if not query or not ("=00" in query or _has_private_key(query)):
            return text
    if not text:
        return None
    if not _START(text) or _NOT_IN_URL(text):
        return dropped(Flaw.NOT_A_URL)
    cleared = _cleared(text)
    if cleared == text:
        return text
    return kept(cleared, Flaw.PERSONAL_DATA) if _START(cleared) else dropped(Flaw.NOT_A_URL)


def _cleared(text: str) -> str:
    rest, hash_sign, fragment = text.partition("#")
    base, question_mark, query = rest.partition("?")
    base = _without_people(base)
    if query:
        query = "&".join([part for part in query.split("&") if not _is_private(part)])
    if not _PLAIN_FRAGMENT(fragment) or _PHONE(fragment):
        # `#access_token=…`: a fragment that is more than a place is worth nothing to TikTok.
        hash_sign = fragment = ""
    return base + (question_mark and query and "?") + query + hash_sign + fragment


def _without_people(base: str) -> str:
    """The part before the query, without `user:password@`, with people in the path blotted out."""
    scheme, _, rest = base.partition("://")
    host, *path = rest.split("/")
    clear = ["-" if _AT_INSIDE(part) or _PHONE(part) else part for part in path]
    return f"{scheme}://{'/'.join([host.rpartition('@')[2], *clear])}"


def _is_private(part: str) -> bool:
    key, _, value = part.partition("=")
    return bool(_AT(part) or _PHONE(value) or _PHONE(key)) or _is_private_key(key)


def _has_private_key(query: str) -> bool:
    for part in query.split("&"):  # noqa: SIM110  # a generator costs more than what it asks
        if _is_private_key(part.partition("=")[0]):
            return True
    return False


@lru_cache(maxsize=4096)
def _is_private_key(key: str) -> bool:
    if len(key) > _MAX_KEY:
        return True
    words = [word.lower() for word in _WORD.findall(unquote(key))]
    if "utm" in words[:1]:
        return False
    if not _PRIVATE.isdisjoint(words):
        return True
    return "name" in words and (len(words) == 1 or not _OF_PERSON.isdisjoint(words))


def click_id_of(url: str) -> str | None:
    """The `ttclid` parameter of a URL, decoded once."""
    found = _CLICK_ID(url)
    return unquote(found[1]) if found else None


def anonymous(url: str) -> str:
    """The URL without parameters and fragment: click ids are identifiers too."""
    return re.split(r"[?#]", url, maxsplit=1)[0]
