"""The file of an export, or a pipe: written beside its name until it is whole, read twice."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from relay.errors import MoveRefused

PIPE: Final = "-"

_GZIP: Final = b"\x1f\x8b"
_LEVEL = 3
_MODE = 0o600
_BUFFER = 1 << 20


class Sink:
    """Where an export goes. `sync` makes what was written durable, as far as a pipe can."""

    def __init__(self, raw: IO[bytes], packed: gzip.GzipFile | None) -> None:
        self._raw = raw
        self._packed = packed
        self.write: Callable[[bytes], object] = raw.write if packed is None else packed.write

    def sync(self) -> None:
        if self._packed is not None:
            self._packed.flush()
        _durable(self._raw)


@contextmanager
def writing(target: str) -> Iterator[Sink]:
    """A file that has its name only once it is whole; gzipped where the name says so.

    Raises `MoveRefused` where there is a file of this name, and OSError.
    """
    if target == PIPE:
        yield Sink(sys.stdout.buffer, None)
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    if path.exists():
        raise MoveRefused(f"{path} exists: name another file, or remove it")
    part = path.with_name(f"{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE), "wb") as raw:
        packed = None
        if path.suffix == ".gz":
            packed = gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0)
        yield Sink(raw, packed)
        if packed is not None:
            packed.close()
        _durable(raw)
    part.replace(path)
    folder = os.open(path.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _durable(raw: IO[bytes]) -> None:
    raw.flush()
    if raw.seekable():
        os.fsync(raw.fileno())


class ExportFile:
    """An export to be read, more than once; what comes through a pipe is laid into a temporary file
    first. `size` is that of the file, in bytes as it lies there. Raises OSError."""

    def __init__(self, source: str) -> None:
        self._file = _laid_down(sys.stdin.buffer) if source == PIPE else Path(source).open("rb")
        self.size = self._file.seek(0, os.SEEK_END)

    def close(self) -> None:
        self._file.close()

    def lines(self, progress: Callable[[int], None]) -> Iterator[bytes]:
        """From the beginning; `progress` is told the bytes of the file that were read so far.

        Raises `MoveRefused` for a gzip that is cut off or damaged.
        """
        self._file.seek(0)
        packed = self._file.read(len(_GZIP)) == _GZIP
        self._file.seek(0)
        opened: IO[bytes] = self._file
        if packed:
            opened = gzip.GzipFile(fileobj=self._file, mode="rb")  # type: ignore[assignment]
        try:
            for line in opened:
                progress(self._file.tell())
                yield line
        except EOFError:
            raise MoveRefused("it is cut off: export once more") from None
        except (zlib.error, gzip.BadGzipFile):
            raise MoveRefused("it is damaged: copy it again, or export once more") from None


def _laid_down(pipe: IO[bytes]) -> IO[bytes]:
    kept = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the export
    shutil.copyfileobj(pipe, kept, _BUFFER)
    return kept
