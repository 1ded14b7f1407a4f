"""The file in which `relay login` keeps a token: nothing but the token, as `file:PATH` reads it.

Beside it lies `PATH.json` with what nobody has to hide: the app and the accounts of the grant, for
TikTok tells them to nobody who has the token alone. A digest says which token that is about.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import orjson

_NAME: Final = "tiktok-token"
_OWNER_ONLY: Final = 0o700
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class Granted(NamedTuple):
    """What a token was given for."""

    app_id: str
    advertiser_ids: tuple[str, ...]


def default_path(environ: Mapping[str, str]) -> Path:
    """`$XDG_CONFIG_HOME/relay/tiktok-token`, else in `~/.config`."""
    return _base(environ, "XDG_CONFIG_HOME", ".config") / "relay" / _NAME


def tasks_path(environ: Mapping[str, str]) -> Path:
    """Where reports that TikTok is making are remembered."""
    return _base(environ, "XDG_STATE_HOME", ".local/state") / "relay" / "report-tasks.json"


def _base(environ: Mapping[str, str], variable: str, otherwise: str) -> Path:
    """The XDG Base Directory Specification ignores paths that are not absolute."""
    named = Path(environ.get(variable) or ".")
    if named.is_absolute():
        return named
    home = environ.get("HOME")
    return (Path(home) if home else Path("~").expanduser()) / otherwise


class TokenFile:
    """A token and what it was given for, on disk. Errors of the disk are OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._beside = path.with_name(f"{path.name}.json")

    @property
    def is_there(self) -> bool:
        return self.path.is_file()

    @property
    def is_open_to_others(self) -> bool:
        """Whether other people of this machine may read it."""
        return os.name == "posix" and bool(self.path.stat().st_mode & _OTHERS)

    def keep(self, token: str, granted: Granted) -> None:
        """Write both, readable by nobody else; whoever reads meanwhile sees the old or the new."""
        self.path.parent.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        document = {"token_sha256": _digest(token), **granted._asdict()}
        _write(self._beside, orjson.dumps(document, option=orjson.OPT_INDENT_2))
        _write(self.path, token.encode())

    def granted(self, token: str) -> Granted | None:
        """What this token was given for; None where nothing is known of it."""
        try:
            document = orjson.loads(self._beside.read_bytes())
            if document["token_sha256"] != _digest(token):
                return None
            return Granted(str(document["app_id"]), tuple(map(str, document["advertiser_ids"])))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def delete(self) -> None:
        self._beside.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    # `mkstemp` makes it with mode 0600, whatever the umask; a crash leaves the old file whole.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content + b"\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
