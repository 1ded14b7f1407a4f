"""What `relay login` makes of addresses and pasted texts, and the page it answers with. Pure."""

from __future__ import annotations

from html import escape
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit, urlunsplit

from relay.errors import ConfigError, Mistake
from relay.management.errors import RedirectRefused
from relay.management.oauth import read_redirect

DEFAULT_PORT: Final = 8917

_PORTAL: Final = "/portal/auth"

#: What may be sent to a browser that just showed a code in its address.
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:18px/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1em}}
</style></head><body><h1>{title}</h1><p>{text}</p></body></html>
"""


class Redirect(NamedTuple):
    """Where TikTok sends the browser: `uri` as it is registered; `host` is None where that is not
    this machine, and the address has to be pasted."""

    uri: str
    host: str | None
    port: int
    path: str


def portal_url(base_url: str) -> str:
    """The consent page of the service that has its API at `base_url`."""
    parts = urlsplit(base_url)
    return urlunsplit((parts.scheme, parts.netloc, _PORTAL, "", ""))


def redirect_of(uri: str | None, port: int | None) -> Redirect:
    """The registered address, read; by default one of this machine. Raises `ConfigError`."""
    if uri is None:
        port = DEFAULT_PORT if port is None else port
        return Redirect(f"http://127.0.0.1:{port}/callback", "127.0.0.1", port, "/callback")
    try:
        parts = urlsplit(uri)
        host, named = parts.hostname or "", parts.port
    except ValueError:
        raise _refused("is no address") from None
    if parts.query or parts.fragment or parts.username or not host:
        raise _refused("has more, or less, than scheme, host, port and path")
    if port is not None and port != named:
        problem = "names another port than --port"
        raise ConfigError([Mistake("--redirect-uri", problem, "Leave --port out")])
    if parts.scheme == "https":
        return Redirect(uri, None, 0, parts.path)
    if parts.scheme != "http" or not _is_loopback(host):
        raise _refused("is neither https nor of this machine")
    return Redirect(uri, host, named or 80, parts.path or "/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refused(problem: str) -> ConfigError:
    mend = "Write it as it is registered: https://…, or http://127.0.0.1:PORT/callback"
    return ConfigError([Mistake("--redirect-uri", problem, mend)])


def is_meant(host: str | None, redirect: Redirect) -> bool:
    """Whether a request names the address that the browser was sent to: a page of another name
    that leads here is not answered."""
    name = f"[{redirect.host}]" if ":" in (redirect.host or "") else redirect.host
    names = {f"{name}:{redirect.port}", *([name] if redirect.port == 80 else [])}
    return host is not None and host.lower() in names


class ConsentDenied(RedirectRefused):
    """Consent was not given. Run `relay login` again, and allow the app on TikTok's page."""


def code_in(query: str, state: str) -> str:
    """The code in an address that TikTok sent the browser to. Raises `RedirectRefused`, and
    `ConsentDenied` where the address is of this login and has no code."""
    try:
        return read_redirect(query, state)
    except RedirectRefused:
        if _is_denial(query, state):
            raise ConsentDenied from None
        raise


def _is_denial(query: str, state: str) -> bool:
    """There is no code, and with one the address would pass: so the state is right."""
    try:
        fields = parse_qs(query, max_num_fields=50)
        if fields.get("auth_code") or fields.get("code"):
            return False
        read_redirect(f"{query}&auth_code=none", state)
    except (ValueError, RedirectRefused):
        return False
    return True


def pasted_code(text: str, state: str) -> str:
    """The code in what a person pasted: the browser's whole address, or the code alone, which
    cannot be compared with `state`. Raises `RedirectRefused`, never with what was pasted."""
    pasted = text.strip()
    if not pasted:
        raise RedirectRefused("Nothing was pasted.")
    if any(sign in pasted for sign in ("://", "?", "=")):
        return code_in(urlsplit(pasted).query if "?" in pasted else pasted, state)
    if pasted.isascii() and pasted.isprintable() and not any(map(str.isspace, pasted)):
        return pasted
    raise RedirectRefused("This is neither an address nor a code; copy the whole address line.")


def page(title: str, text: str) -> bytes:
    """A page without anything of the address in it."""
    return _PAGE.format(title=escape(title), text=escape(text)).encode()
