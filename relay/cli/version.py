"""Which version of the relay this is."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """The installed package's version; "0" where it runs from a folder that was never installed."""
    try:
        return metadata.version("tiktok-conversions-relay")
    except metadata.PackageNotFoundError:
        return "0"
