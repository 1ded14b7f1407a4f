"""Whether what traces take is installed; nothing is imported for it but names of packages."""

from __future__ import annotations

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
