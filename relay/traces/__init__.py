"""OpenTelemetry traces: from a receipt to TikTok's `request_id`, off unless a collector is named.

In:   what the door, the topics and the lanes did: receipts, counts, times, attempts
Out:  spans of a closed list (`catalogue`), to a collector that takes OTLP over HTTP

**Nothing is carried across the journal.** The trace of an arrival is computed from its receipt
(`identity`): the request id of `http:<request id>/<index>`, the place of a message, the line of a
file, the number of a replay. So is the span that the trace begins with. Whoever delivers the entry,
another process or the same one days and a `kill -9` later, finds both from `Entry.receipt`, and
nothing is stored for it. Whether a trace is sampled is read off its id, so that all processes with
one `sample_ratio` keep the same traces, whole.

**A request and an attempt are each other's many.** A request's events leave in several attempts,
and an attempt carries events of up to 1000 requests, so neither can be the other's parent.
`relay.deliver` is an attempt as TikTok saw it, in a trace of its own, with links to the requests it
carried; `relay.answer` is that attempt in the trace of one request: what became of its events, with
TikTok's `request_id`, and a link to the attempt. A batch of messages (`relay.consume`) and a
message (`relay.message`) stand to each other in the same way.

**A sender's `traceparent` is a link, not the parent.** The trace id of a parent would have to be
carried through the journal; a sender could have every trace kept, or none, by the flag it sets; and
a trace that is days long by a retry would be counted into the sender's latency. A link says as much
to a person who looks.

**Bounds.** An attempt, a batch of messages and a part of a file tell of `MAX_TRACES` sampled traces
at most: those with the lowest ids, so that another attempt tells of the same. `otlp` keeps
`MAX_WAITING` spans at most and drops what comes on top, counted; a collector that is slow or away
costs spans and nothing else.

`catalogue` lists what a span may be called and say: no id of an event or an order, no value, no
address, no header of a sender. Off, nobody imports OpenTelemetry, and a request costs one call of
a method that returns None.
"""

from __future__ import annotations

from relay.traces.identity import TRACEPARENT, Context, read_traceparent
from relay.traces.span import Moment
from relay.traces.tracer import OFF, Tracer, Traces
from relay.traces.visit import Visit

__all__ = [
    "OFF",
    "TRACEPARENT",
    "Context",
    "Moment",
    "Tracer",
    "Traces",
    "Visit",
    "read_traceparent",
]
