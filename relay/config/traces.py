"""Where spans go, and how many: OpenTelemetry, over OTLP/HTTP."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from relay.config.section import Section
from relay.config.values import HttpUrl, SecretRef, refusal

#: What the protocol puts behind a base URL (OTLP specification, "OTLP/HTTP Request").
_PATH = "/v1/traces"


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.username is not None or parts.query or parts.fragment:
        problem = "more than an address: a name, a password, a query or a fragment stands in it"
        raise refusal(
            "endpoint", problem, "Write http://HOST:4318, and name a key in authorization"
        )
    if parts.path.rstrip("/").endswith(_PATH):
        raise refusal("endpoint", f"ends in {_PATH}, which is added", "Write the part before it")
    return url


class Traces(Section):
    """OpenTelemetry traces, from receipt to TikTok's answer; off without an `endpoint`."""

    endpoint: Annotated[HttpUrl, AfterValidator(_base_url)] | None = None
    """Base URL of a collector that takes OTLP over HTTP: `http://otel-collector:4318`. None: no
    traces."""

    # One in a hundred: spans cost as much as accepting an event, and a busy door makes thousands.
    sample_ratio: Annotated[float, Field(ge=0, le=1)] = 0.01
    """The share of requests and messages that is traced, each from its receipt to its end; 1 where
    there are few."""

    authorization: SecretRef | None = None
    """What the collector is shown as the header `Authorization`, with its scheme: `Bearer KEY`."""

    service_name: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,100}$")] = "relay"
    """What the collector calls this relay (`service.name`)."""
