"""Names that OpenTelemetry has are used; what the catalogue does not list is not exported."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.semconv._incubating.attributes import messaging_attributes
from opentelemetry.semconv._incubating.attributes.http_attributes import HTTP_REQUEST_BODY_SIZE
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import HTTP_RESPONSE_STATUS_CODE

from relay.traces.catalogue import SPANS
from relay.traces.identity import root_of
from relay.traces.readable import readable, resource_of
from relay.traces.span import Span

NAMES = {name for shape in SPANS.values() for name in shape.attributes}
KNOWN = {
    HTTP_REQUEST_BODY_SIZE,
    HTTP_RESPONSE_STATUS_CODE,
    ERROR_TYPE,
    *(value for value in vars(messaging_attributes).values() if isinstance(value, str)),
}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_an_attribute_is_ours_or_a_convention(name: str) -> None:
    assert name.startswith(("relay.", "tiktok.")) or name in KNOWN


def exported(attributes: dict[str, str | int]) -> dict[str, object]:
    span = Span("relay.accept", root_of("http:a"), 1, 2, attributes)
    made = readable(span, resource_of("relay", "1", "i"), InstrumentationScope("relay"))
    return dict(made.attributes or {})


def test_what_the_catalogue_does_not_list_is_left_out() -> None:
    assert exported({"relay.source": "shop", "user.email": "ada@example.com"}) == {
        "relay.source": "shop"
    }


def test_a_text_that_is_too_long_to_be_ours_is_not_shown() -> None:
    assert exported({"relay.source": "x" * 201}) == {"relay.source": "(too long)"}
