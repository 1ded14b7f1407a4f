"""A collector: `POST /v1/traces` with spans as protobuf (OTLP/HTTP), on a thread of the SDK's.

Not the SDK's own exporter: it sends whatever `OTEL_EXPORTER_OTLP_HEADERS` holds, a key for somebody
else among it, to the collector that the configuration names.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from relay.secrets import Secret, SecretUnavailable

#: For connecting, and for each step of sending and reading.
TIMEOUT_S: Final = 5.0

#: A batch is tried again after so long, in seconds; then it is lost.
_PAUSES_S: Final = (1.0, 4.0)

#: The answers after which it is (OTLP specification, "Retryable Response Codes").
_RETRIED: Final = frozenset({429, 502, 503, 504})

_MAX_ANSWER_BYTES: Final = 64 * 1024

#: What became of so many spans, and a word for why: "exported", "refused", "failed", "stopped".
Told = Callable[[str, int, str | None], None]

#: Exceptions and the word for each; the first that fits counts.
_WORDS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (ssl.SSLError, "tls"),
    (socket.gaierror, "dns"),
    (TimeoutError, "timeout"),
    (ConnectionRefusedError, "connect"),
    (http.client.RemoteDisconnected, "disconnected"),
    (ConnectionError, "reset"),
    (http.client.HTTPException, "broken_answer"),
    (SecretUnavailable, "no_authorization"),
)


class Collector(SpanExporter):
    """The collector at a base URL. All but `hurry` happens on the SDK's thread."""

    def __init__(self, endpoint: str, authorization: Secret | None, told: Told) -> None:
        parts = urlsplit(endpoint)
        self._path = parts.path.rstrip("/") + "/v1/traces"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        # Of the system's authorities, as all clients here.
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._authorization = authorization
        self._told = told
        self._connection: http.client.HTTPConnection | None = None
        self._hurry = threading.Event()
        #: So many spans were given to it and are dealt with.
        self.done = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them; never raises."""
        try:
            result, lost, word = self._send(encode_spans(spans).SerializeToString(), len(spans))
        except Exception as error:  # nobody else would count them
            result, lost, word = "failed", len(spans), type(error).__name__
        self.done += len(spans)
        if lost < len(spans):
            self._told("exported", len(spans) - lost, None)
        if lost:
            self._told(result, lost, word)
        return SpanExportResult.FAILURE if lost else SpanExportResult.SUCCESS

    def hurry(self) -> None:
        """The relay is about to leave: nothing is tried again."""
        self._hurry.set()

    def shutdown(self) -> None:
        self._hang_up()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True

    # --- sending ----------------------------------------------------------------------------------

    def _send(self, body: bytes, spans: int) -> tuple[str, int, str | None]:
        """What became of them: a word, how many are lost, and why."""
        for pause_s in (*_PAUSES_S, None):
            status, answer, word = self._tried(body)
            if 200 <= status < 300:
                return "refused", min(spans, _rejected(answer)), "rejected"
            again = status in _RETRIED or not status
            if not again or pause_s is None:
                return "failed", spans, word
            if self._hurry.wait(pause_s):
                break
        return "stopped", spans, "stopped"

    def _tried(self, body: bytes) -> tuple[int, bytes, str]:
        """Status (0 where none came), body, and a word for what went wrong."""
        kept = self._connection is not None
        try:
            try:
                return self._post(body)
            except (http.client.HTTPException, OSError):
                if not kept:
                    raise
                self._hang_up()  # it closed an idle connection just then
                return self._post(body)
        except (http.client.HTTPException, OSError, SecretUnavailable) as error:
            self._hang_up()
            return 0, b"", next((word for kind, word in _WORDS if isinstance(error, kind)), "error")

    def _post(self, body: bytes) -> tuple[int, bytes, str]:
        if self._connection is None:
            self._connection = self._dial()
        headers = {"Content-Type": "application/x-protobuf", "User-Agent": "tiktok-relay"}
        if self._authorization is not None:
            headers["Authorization"] = self._authorization.read()
        self._connection.request("POST", self._path, body, headers)
        answer = self._connection.getresponse()
        read = answer.read(_MAX_ANSWER_BYTES)
        if not answer.isclosed():  # longer than anybody needs
            self._hang_up()
        return answer.status, read, f"http_{answer.status}"

    def _dial(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=TIMEOUT_S, context=self._tls
        )

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _rejected(answer: bytes) -> int:
    """How many spans the collector did not take of a request that it took."""
    try:
        response = ExportTraceServiceResponse.FromString(answer)
    except Exception:  # no protobuf; but a 2xx says that it has them
        return 0
    return max(0, int(response.partial_success.rejected_spans))
