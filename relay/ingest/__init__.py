"""The door: what senders' machines talk to. Bytes in, a receipt or a refusal out.

`http` is the public listener; it knows addresses, keys, limits and status codes, and hands bodies
to a `Door` (`protocol.py`), which knows what an event is and whether it is durable. Everything
that can be decided without a socket is: `routes`, `keys`, `headers`, `gunzip`, `refusals`, and
three ways to say the same, `answers` (ours), `envelope` (TikTok's) and `silence` (webhooks).

Decisions:

* A 2xx is said after `Door` returned, never before. What the door raises is a refusal with a word
  from a closed list; what nobody expected is a 500, and the sender comes again.
* An empty array is answered 202 with zeros (drop-in: code 0): senders that flush on a timer send
  it, and a 4xx would alarm somebody about nothing. 422 is said where *every* event is invalid.
* A webhook is answered with an empty body, whatever it is: 200 too where its conversion is
  invalid, because that is recorded here, and repeating it helps nobody; shops switch subscriptions
  off after a few 4xx.
* The drop-in speaks TikTok's envelope with HTTP 200, errors included, as TikTok does. Two things
  it says in HTTP as well: 503 with code 50000 when it cannot store (clients repeat for either),
  and what a gateway would refuse (408, 413, 415).
* A webhook is signed as it travels, and no shop compresses; so its body is never decoded, and a
  stranger cannot make us inflate anything: `Content-Encoding` is 415 there. Senders with a key may
  use gzip. The parser's own decompression is off, because it knows no bound.
* Bodies count while they are read, decoded and stored, by bytes that arrived, not by what
  `Content-Length` promises. Bodies of strangers (webhooks) that trickle in may fill half of
  `limits.max_pending_bytes`; the other half stays for senders with a key.
* Depth of JSON is bounded by the parser (1024 levels), which reads without recursion.
* 429 is not used: what is short (bytes, disk, connections) is everybody's, so it is 503.

Speed: aiohttp parses and keeps the connection; but its application, router, request and response
cost more than all of normalizing. So `http` gives `aiohttp.web.Server` a request of four fields
(`request_factory`) and writes the answer itself, in one piece. Measured with single-event requests
on one core, in CPU per request relative to a bare `web.Application` handler (50-57 us): low-level
server with its own `web.Response` 0.83, writing the answer ourselves 0.56, with the small request
too 0.49; a protocol of our own around the parser would get 0.40, and would be a server to keep.
With keys, limits, receipts and counting the listener is at 0.70: 1.3 times the bare handler's rate.
"""
