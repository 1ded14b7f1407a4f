"""What a stranger wrote, made fit to be kept and shown: short, one line, nobody's data in it.

An error message of TikTok may echo what it refuses. We only send digests, but a page's address,
an IP or an id may stand in there as well; nothing of that kind is stored or logged.
"""

from __future__ import annotations

import re

MAX_CHARS = 300

#: Enough for a message; what is behind it is never looked at, so that no pattern works for long.
_READ_CHARS = 2000

_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(https?://)(?:[^\s/?#@]*@)?([^\s/?#\"'<>]{1,200})[^\s\"'<>]*"), r"\1\2/…"),
    (re.compile(r"[^\s@<>\"',;:=(\[]{1,64}(?:@|%40)[^\s@<>\"',;)\]]{1,255}"), "<email>"),
    (re.compile(r"(?i)\b[0-9a-f]{64}\b"), "<digest>"),
    (
        re.compile(r"(?:(?=[\w+/=-]{0,200}\d)[\w+/=-]{24,}|[\w+/=-]{40,})(?:\.[\w+/=-]+)*"),
        "<token>",
    ),
    (re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"), "<ip>"),
    (re.compile(r"(?i)(?<![0-9a-z:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?![0-9a-z:])"), "<ip>"),
    (re.compile(r"(?<![A-Za-z0-9])\+?\(?\d(?:[ ().\-/]{0,3}\d){6,}"), "<number>"),
)

_NOT_PRINTED = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]+"
)
_REQUEST_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


def message(text: object) -> str | None:
    """Return `text` in at most 300 characters, with whatever could be personal or secret masked:
    e-mail addresses, phone-like digit runs, digests, tokens, IP addresses and the path of URLs.
    None when it is no text or empty."""
    if not isinstance(text, str):
        return None
    line = _NOT_PRINTED.sub(" ", text[:_READ_CHARS]).strip()
    for pattern, word in _MASKS:
        line = pattern.sub(word, line)
    if len(line) > MAX_CHARS:
        line = line[: MAX_CHARS - 1] + "…"
    return line or None


def request_id(text: object) -> str | None:
    """Return TikTok's log id, or None when it does not look like one."""
    if isinstance(text, str) and _REQUEST_ID.fullmatch(text):
        return text
    return None
