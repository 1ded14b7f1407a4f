"""Whether what traces take is installed, and how it is imported; nothing is imported here."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Final

_NEEDED: Final = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.common")

#: How to get it.
MEND: Final = 'pip install "tiktok-conversions-relay[traces]"'


def is_installed() -> bool:
    """Whether the extra `traces` is there."""
    try:
        return all(find_spec(name) is not None for name in _NEEDED)
    except ModuleNotFoundError:  # a package that one of them stands in
        return False


@contextmanager
def unheard(environ: MutableMapping[str, str]) -> Iterator[None]:
    """Hide `OTEL_…` within the block: where the SDK is imported it reads a limit there, and raises
    `ValueError` for one that is no number."""
    hidden = {name: environ.pop(name) for name in tuple(environ) if name.startswith("OTEL_")}
    try:
        yield
    finally:
        environ.update(hidden)
