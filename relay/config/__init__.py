"""Settings: from `relay.toml` and `RELAY_*` environment variables to frozen values.

What comes in: a file (TOML, or JSON where it is called `.json`) and an environment. What goes out:
`Settings`, or a `ConfigError` that lists every mistake with its key and its mend. No message ever
repeats a value: a token may have slipped into any key.

pydantic checks the shape; the environment is laid over the file by `overlay.py` rather than by
pydantic-settings, which cannot reach into the tables of a list (`RELAY_DESTINATIONS__0__…`), stops
at the first variable it cannot read, overlooks misspelt ones, and reads the process's own
environment instead of the one it is given.
"""

from __future__ import annotations

from relay.config.audit import Audit, Thresholds
from relay.config.checks import Check, Parts, secrets_can_be_read, warnings
from relay.config.load import DEFAULT_FILE, AdAccount, load, load_ad_account
from relay.config.management import Management
from relay.config.settings import (
    Consent,
    ConsentAction,
    Destination,
    Journal,
    Limits,
    Listen,
    Log,
    LogFormat,
    LogLevel,
    Settings,
    Shutdown,
    Source,
    TikTok,
    WithoutMatchKey,
)
from relay.config.traces import Traces
from relay.config.values import Address
from relay.config.wording import mistakes_of

__all__ = [
    "DEFAULT_FILE",
    "AdAccount",
    "Address",
    "Audit",
    "Check",
    "Consent",
    "ConsentAction",
    "Destination",
    "Journal",
    "Limits",
    "Listen",
    "Log",
    "LogFormat",
    "LogLevel",
    "Management",
    "Parts",
    "Settings",
    "Shutdown",
    "Source",
    "Thresholds",
    "TikTok",
    "Traces",
    "WithoutMatchKey",
    "load",
    "load_ad_account",
    "mistakes_of",
    "secrets_can_be_read",
    "warnings",
]
