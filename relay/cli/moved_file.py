"""The file of a moved journal: written whole or not at all, read twice."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from relay.errors import ConfigError, Mistake
from relay.journal.moving.framing import FileUnusable

#: Standard output, or standard input.
PIPE = "-"

_GZIP = b"\x1f\x8b"
_LEVEL = 6


@contextmanager
def writing(file: str) -> Iterator[IO[bytes]]:
    """Write a file that has its name only once it is whole and on disk; for its owner's eyes.

    Raises `ConfigError` where the name is taken.
    """
    if file == PIPE:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(file)
    if path.exists():
        raise ConfigError([Mistake("FILE", f"{file} is there already", "Name a new file")])
    part = path.with_name(f"{path.name}.part")
    try:
        with _owners_only(part) as raw:
            if path.suffix == ".gz":
                with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=_LEVEL, mtime=0) as packed:
                    yield cast("IO[bytes]", packed)
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        part.rename(path)
        _sync(path.absolute().parent)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _owners_only(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


class MovedFile:
    """A file to be imported; what comes through a pipe is laid aside first, for it is read twice.

    Use as a context manager. Raises OSError, and `FileUnusable` for what cannot be unpacked.
    """

    def __init__(self, file: str) -> None:
        self._file = file
        self._opened: IO[bytes] | None = None

    def __enter__(self) -> MovedFile:
        if self._file == PIPE:
            self._opened = tempfile.TemporaryFile()  # closed on leaving
            shutil.copyfileobj(sys.stdin.buffer, self._opened)
        else:
            self._opened = Path(self._file).open("rb")  # as above
        return self

    def __exit__(self, *error: object) -> None:
        if self._opened is not None:
            self._opened.close()

    def lines(self) -> Iterator[bytes]:
        """Every line with its end, from the first one on."""
        assert self._opened is not None  # noqa: S101  # it was entered
        self._opened.seek(0)
        packed = self._opened.read(len(_GZIP)) == _GZIP
        self._opened.seek(0)
        try:
            if packed:
                with gzip.GzipFile(fileobj=self._opened, mode="rb") as unpacked:
                    yield from unpacked
            else:
                yield from self._opened
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise FileUnusable(
                "it is damaged or was cut off: it cannot be unpacked; copy it once more"
            ) from None
