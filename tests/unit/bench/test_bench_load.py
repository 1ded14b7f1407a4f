"""What the benchmark sends, and how it reads and judges the answers."""

from __future__ import annotations

import orjson
import pytest

from tests.bench.bursts import Burst, faults_of, remarks
from tests.bench.corpus import Corpus
from tests.bench.load import Load, split_answer

_ANSWER = b'HTTP/1.1 202 Accepted\r\nServer: x\r\nContent-Length: 14\r\n\r\n{"accepted":3}'


def _bodies(requests: list[bytes]) -> list[object]:
    found: list[object] = []
    for request in requests:
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        found.append(orjson.loads(body))
    return found


def test_a_request_of_one_event_is_an_object_of_about_700_bytes() -> None:
    (event,) = _bodies(list(Corpus(1_790_000_000).requests(1, 1)))

    assert isinstance(event, dict)
    assert event["event_time"] == 1_790_000_000
    assert 650 <= len(orjson.dumps(event)) <= 800
    assert {"email", "phone", "external_id", "ttclid", "ip", "user_agent"} <= event["user"].keys()
    assert len(event["properties"]["contents"]) == 2


def test_no_two_events_of_a_run_share_an_id_or_a_person() -> None:
    corpus = Corpus(1_790_000_000)
    arrays = _bodies([*corpus.requests(20, 50), *corpus.requests(20, 50)])
    events = [event for array in arrays if isinstance(array, list) for event in array]

    assert len(events) == 2000
    assert len({event["event_id"] for event in events}) == 2000
    for field in ("email", "phone", "external_id"):
        assert len({event["user"][field] for event in events}) == 2000


def test_an_answer_is_read_once_it_is_whole() -> None:
    for length in range(len(_ANSWER)):
        assert split_answer(_ANSWER[:length]) is None

    assert split_answer(_ANSWER) == (202, b'{"accepted":3}')


def test_an_answer_without_a_length_is_no_answer_we_can_measure() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        split_answer(b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")


async def test_only_what_was_accepted_counts_and_only_while_timing() -> None:
    load = Load(0, iter(()), connections=1)
    load.answered(202, b'{"accepted":50}', 0.001)
    load.start_timing()
    load.answered(202, b'{"accepted":50}', 0.002)
    load.answered(202, b'{"accepted":49}', 0.003)
    load.stop_timing()
    load.answered(202, b'{"accepted":50}', 0.004)

    assert load.accepted == 199
    assert load.timed_events == 99
    assert list(load.latencies) == [0.002, 0.003]
    assert load.seconds > 0
    assert faults_of(load) == []


async def test_refusals_and_odd_answers_are_faults() -> None:
    load = Load(0, iter(()), connections=1)
    load.answered(202, b'{"accepted":1}', 0.001)
    load.answered(503, b"not JSON", 0.001)

    refused, odd = faults_of(load)
    assert "503: 1" in refused
    assert odd.startswith("1 odd")


async def test_a_sender_that_heard_nothing_is_at_fault() -> None:
    assert faults_of(Load(0, iter(()), connections=1)) == ["statuses {}"]


def test_a_full_core_and_a_shared_core_are_remarked_upon() -> None:
    calm = Burst(1.0, 0.1, 0.2, 30.0, 10, others=0.02, beside=0.5)
    shared = Burst(1.0, 0.1, 0.2, 30.0, 10, others=0.5, beside=0.99)

    assert remarks([calm, calm], [calm, shared]) == []
    assert remarks([calm, shared], [shared, shared])[-1] == "by CPU time alone the ratio is 1.00"
    assert len(remarks([calm, shared], [shared, shared])) == 3
