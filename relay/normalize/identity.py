"""Identifiers of a person: normalized as TikTok says, then hashed where TikTok says so.

Rules: TikTok docs, Events API 2.0 (e-mail, phone, external id, device ids) and its page
"Parameters" (names, address). What arrives as a SHA-256 stays as it is, in lowercase, without
normalization; text is composed to NFC first, so that "é" has one digest however it was typed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Final

from relay.normalize import phone as phones
from relay.normalize.digest import (
    DIGEST_LENGTH,
    NO_ONE,
    PLACEHOLDERS,
    digest,
    identifying,
    is_digest,
    ready_made,
)
from relay.normalize.fields import Flaw, Flawed, Handler, dropped, one_or_several

#: No identifier of a person is longer (an e-mail address has at most 254 characters).
_MAX_LENGTH: Final = 320
#: A larger number is no id, and slow to print.
_MAX_NUMBER: Final = 10**40
#: Click ids are never cut: half an id matches nothing. The longest seen stay below.
_MAX_CLICK_ID: Final = 1000

_PLAIN_EMAIL: Final = re.compile(r"[a-z0-9._%+-]++@[a-z0-9-]++(?:\.[a-z0-9-]++)+\Z").match
_EMAIL: Final = re.compile(r"[^\s@<>,;:]++@[^\s@<>,;:.]++(?:\.[^\s@<>,;:.]++)+\Z").match
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]+")
_HALF_SURROGATE: Final = re.compile(r"[\ud800-\udfff]").search
_SEPARATORS: Final = re.compile(r"[\s\-\u2010-\u2015\u2212]+")
#: A UUID, more or less: TikTok's own example of a GAID has a group of six.
_DEVICE_ID: Final = re.compile(r"[0-9A-Fa-f][0-9A-Fa-f-]{14,46}\Z").match
_TOKEN: Final = re.compile(r"[!-?A-~]++\Z").match
_LANGUAGE: Final = re.compile(
    r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?(?:[.@,;].*)?\Z"
).match


def _composed(text: str) -> str | None:
    """`text` in NFC without invisible characters; None when UTF-8 cannot carry it."""
    if _HALF_SURROGATE(text):
        return None
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).strip()


def email(raw: object) -> object:
    """The digest of an e-mail address, trimmed and in lowercase; dots and plus tags stay.

    Of an array, a digest for each. Nearly all addresses are plain and end in the first lines.
    """
    if isinstance(raw, str) and len(raw) <= _MAX_LENGTH:
        text = raw.strip().lower()
        if _PLAIN_EMAIL(text):
            return sha256(text.encode()).hexdigest()
    return _emails(raw)


def _email(raw: object) -> str | Flawed | None:
    text = _personal(raw)
    if not isinstance(text, str):
        return text
    if is_digest(text):
        return ready_made(text)
    address = text.lower()
    return identifying(address) if _EMAIL(address) else dropped(Flaw.NOT_AN_EMAIL)


_emails: Final = one_or_several(_email)


def phone(region: str | None, *, drop_cn_code: bool) -> Handler:
    """The handler of a phone number: the digest of its E.164 form. Of an array, one for each.

    `drop_cn_code` hashes Chinese numbers without +86, as the help text of TikTok's own
    Tag Manager template asks; the API's documentation asks for the code, so that is the default.
    """

    def read(raw: object) -> object:
        number = phones.international(raw) if isinstance(raw, str) else None
        if number is None:
            return several(raw)
        return sha256(number.removeprefix(b"+86") if drop_cn_code else number).hexdigest()

    def one(raw: object) -> object:
        if not isinstance(raw, str) or len(raw) >= DIGEST_LENGTH:
            raw = _personal(raw)
            if not isinstance(raw, str) or is_digest(raw):
                return ready_made(raw) if isinstance(raw, str) else raw
        number = phones.e164(raw, region)
        if number is None:
            return dropped(Flaw.NOT_A_PHONE) if raw and not raw.isspace() else None
        return digest(number.removeprefix("+86") if drop_cn_code else number)

    several = one_or_several(one)
    return read


def external_id(raw: object) -> object:
    """The digest of the shop's own id of the person: trimmed, its case kept.

    Of an array, a digest for each.
    """
    if isinstance(raw, str) and len(raw) < DIGEST_LENGTH and raw.isascii():
        text = raw.strip()
        if text not in NO_ONE:
            return sha256(text.encode()).hexdigest()
    return _external_ids(raw)


def _external_id(raw: object) -> str | Flawed | None:
    text = raw.strip() if isinstance(raw, str) and len(raw) <= _MAX_LENGTH else _personal(raw)
    if not isinstance(text, str):
        return text
    if is_digest(text):
        return ready_made(text)
    if not text.isascii():
        composed = _composed(text)
        if composed is None:
            return dropped(Flaw.NOT_TEXT)
        text = composed
    if text in NO_ONE:
        return dropped(Flaw.PLACEHOLDER) if text else None
    return sha256(text.encode()).hexdigest()


_external_ids: Final = one_or_several(_external_id)


def name(raw: object) -> str | Flawed | None:
    """The digest of a first or last name: lowercase letters only, diacritics kept.

    Spaces, digits and punctuation (typographic apostrophes too) go; no transliteration.
    """
    text = _personal(raw)
    if not isinstance(text, str):
        return text
    if is_digest(text):
        return ready_made(text)
    lowered = text.lower()
    if not lowered.isalpha():
        lowered = _word(lowered, str.isalpha)
    if not lowered or "@" in text:
        return dropped(Flaw.NOT_A_NAME)
    return identifying(lowered)


def zip_code(raw: object) -> str | Flawed | None:
    """The digest of a postal code: lowercase, without spaces and dashes."""
    text = _personal(raw)
    if not isinstance(text, str):
        return text
    return ready_made(text) if is_digest(text) else identifying(_SEPARATORS.sub("", text.lower()))


def place(raw: object) -> str | Flawed | None:
    """A city or state, not hashed: lowercase letters and digits, no spaces or punctuation."""
    text = _personal(raw)
    if not isinstance(text, str):
        return text
    if "@" in text:
        return dropped(Flaw.PERSONAL_DATA)
    word = text.lower()
    if not word.isalpha():
        word = _word(word, str.isalnum)
    if is_digest(word):
        return dropped(Flaw.MUST_NOT_BE_HASHED)
    return dropped(Flaw.PLACEHOLDER) if word in NO_ONE else word


def _word(text: str, wanted: Callable[[str], bool]) -> str:
    """The wanted characters of `text`, with their combining marks."""
    chars = (char for char in text if wanted(char) or unicodedata.category(char)[0] == "M")
    return unicodedata.normalize("NFC", "".join(chars))


def _personal(raw: object) -> str | Flawed | None:
    """Text about a person, composed and trimmed; a number in its place becomes text."""
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < _MAX_NUMBER:
        raw = str(raw)
    if not isinstance(raw, str):
        return dropped(Flaw.NOT_TEXT)
    if len(raw) > _MAX_LENGTH:
        return dropped(Flaw.TOO_LONG)
    text = raw.strip()
    composed = text if text.isascii() else _composed(text)
    if composed in NO_ONE:
        return dropped(Flaw.PLACEHOLDER) if composed else None
    return dropped(Flaw.NOT_TEXT) if composed is None else composed


def device_id(*, upper: bool, hashed: bool) -> Handler:
    """The handler of an advertising id (IDFA in uppercase, GAID in lowercase), raw or hashed.

    TikTok's printed digest of an IDFA is that of the UPPERCASE id. An id of zeros says that
    tracking is off and is the same on all devices.
    """

    def read(raw: object) -> object:
        if not isinstance(raw, str) or len(raw) > _MAX_LENGTH:
            return dropped(Flaw.NOT_A_DEVICE_ID)
        text = raw.strip()
        if is_digest(text):
            return ready_made(text)
        if not _DEVICE_ID(text) or not text.strip("0-"):
            return dropped(Flaw.NOT_A_DEVICE_ID) if text else None
        text = text.upper() if upper else text.lower()
        return sha256(text.encode()).hexdigest() if hashed else text

    return read


def vendor_id(raw: object) -> str | Flawed | None:
    """An IDFV: as it is, never hashed."""
    if not isinstance(raw, str) or len(raw) > _MAX_LENGTH:
        return dropped(Flaw.NOT_A_DEVICE_ID)
    text = raw.strip()
    if not _DEVICE_ID(text) or not text.strip("0-"):
        return dropped(Flaw.NOT_A_DEVICE_ID) if text else None
    return text


#: __CLICKID__ is TikTok's URL macro that nothing replaced.
_NO_CLICK: Final = PLACEHOLDERS | {"__CLICKID__"}


def click_id(raw: object) -> str | Flawed | None:
    """A `ttclid` or `ttp`: as it is, or not at all. Never cut, never invented."""
    if not isinstance(raw, str):
        return dropped(Flaw.NOT_A_CLICK_ID)
    if len(raw) > _MAX_CLICK_ID:
        return dropped(Flaw.TOO_LONG)
    text = raw.strip()
    if not _TOKEN(text):
        return dropped(Flaw.NOT_A_CLICK_ID) if text else None
    return dropped(Flaw.PLACEHOLDER) if text in _NO_CLICK else text


@lru_cache(maxsize=512)
def _bcp47(text: str) -> str | None:
    found = _LANGUAGE(text)
    if found is None:
        return None
    language, script, region = found.groups()
    parts = (language.lower(), script and script.title(), region and region.upper())
    return "-".join(part for part in parts if part)


def locale(raw: object) -> str | Flawed | None:
    """A BCP 47 tag, `en-US`; `en_US.UTF-8` and `en-US,en;q=0.9` are understood."""
    if not isinstance(raw, str) or len(raw) > 64:
        return dropped(Flaw.NOT_A_LOCALE)
    return _bcp47(raw.strip()) or (dropped(Flaw.NOT_A_LOCALE) if raw.strip() else None)
