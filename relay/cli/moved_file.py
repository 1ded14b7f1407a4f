"""The file of a moved journal: written whole or not at all, read twice."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from relay.errors import ConfigError, Mistake
from relay.journal.moving.framing import FileUnusable

#: Standard output, or standard input.
PIPE = "-"

_GZIP = b"\x1f\x8b"
_LEVEL = 6


class ExportFile:
    """A file that has its name only once it is whole and on disk; for its owner's eyes.

    Use as a context manager, whose end gives it its name; on an exception nothing is left. Raises
    `ConfigError` where the name is taken and not `overwriting`, and OSError.
    """

    def __init__(self, file: str, *, overwriting: bool = False) -> None:
        self._path = None if file == PIPE else Path(file)
        self._raw: IO[bytes] = sys.stdout.buffer
        self._packed: gzip.GzipFile | None = None
        self._complete = False
        if self._path is not None and self._path.exists() and not overwriting:
            mend = "Name a new file, or add --overwrite"
            raise ConfigError([Mistake("FILE", f"{file} is there already", mend)])

    def __enter__(self) -> ExportFile:
        if self._path is not None:
            self._raw = _owners_only(_part(self._path))
            if self._path.suffix == ".gz":
                self._packed = gzip.GzipFile(
                    fileobj=self._raw, mode="wb", compresslevel=_LEVEL, mtime=0
                )
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        whole = False
        try:
            if kind is None:
                self.complete()
                whole = True
        finally:
            if self._path is not None:
                self._name(self._path, whole=whole)

    def write(self, some: bytes) -> None:
        (self._packed or self._raw).write(some)

    def complete(self) -> None:
        """All was written; when it returns, all is on disk."""
        if self._complete:
            return
        self._complete = True
        if self._packed is not None:
            self._packed.close()
        self._raw.flush()
        if self._path is not None:
            os.fsync(self._raw.fileno())

    def _name(self, path: Path, *, whole: bool) -> None:
        part = _part(path)
        if whole:
            self._raw.close()
            part.rename(path)
            _sync(path.absolute().parent)
            return
        with suppress(OSError):
            self._raw.close()
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


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
