from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from relay.deliver.request import body
from relay.model import EventSource


def test_the_request_holds_the_stored_bytes_unchanged() -> None:
    events = [b'{"event":"Purchase","properties":{"value":142.20}}', b'{"event": "Lead"}']

    sent = body(EventSource.WEB, "C0PIXELCODE0EXAMPLE0", events)

    assert sent == (
        b'{"event_source":"web","event_source_id":"C0PIXELCODE0EXAMPLE0",'
        b'"data":[{"event":"Purchase","properties":{"value":142.20}},{"event": "Lead"}]}'
    )


def test_the_test_code_and_the_partner_stand_at_the_top() -> None:
    sent = orjson.loads(
        body(EventSource.APP, "7123", [b"{}"], test_event_code="TEST1", partner_name="P")
    )

    assert sent == {
        "event_source": "app",
        "event_source_id": "7123",
        "test_event_code": "TEST1",
        "partner_name": "P",
        "data": [{}],
    }


@given(st.text(), st.text(), st.lists(st.dictionaries(st.text(), st.text()), min_size=1))
def test_any_text_makes_a_request_that_reads_back(
    source_id: str, code: str, events: list[dict[str, str]]
) -> None:
    sent = orjson.loads(
        body(
            EventSource.CRM,
            source_id,
            [orjson.dumps(event) for event in events],
            test_event_code=code,
        )
    )

    assert sent == {
        "event_source": "crm",
        "event_source_id": source_id,
        "test_event_code": code,
        "data": events,
    }
