"""A strict local stand-in for TikTok's v1.3 API, with faults on demand.

For our own tests and for users who want to see what their events would meet. `http.create_app` is
the application, `http.running` serves it within a block, `http.serve` as a process of its own.
A relay is pointed at it with `tiktok.base_url = "http://127.0.0.1:<port>/open_api/v1.3"`.

    http        aiohttp: waits and writes          inspection  /sandbox/…: ask and tell
    gateway     the way of one call                plan        the form of a fault plan
    events      the Events API: one route          faults      what a plan makes of a call
    refusals    the strict check of a request      profiles    plans by name
    state       what came, and what it effects     settings    how it is set up
    access      tokens and pixels                  answers     envelope, codes, texts
    world       all of it together, and the words they share

A family of the API is one file with a list of routes, named in `http.FAMILIES`; faults, tokens,
log and envelope are the gateway's and come by themselves. All files but `http` are pure: a test
gives them a call, the time and the chance, and gets a reply.

What goes in: HTTP requests. What comes out: answers as TikTok gives them, and `GET /sandbox` lists
what may be asked. What may fail: nothing that a sender does; a plan that cannot be read raises
`ConfigError`. Nothing is printed or logged here. The inspection shows events as they were received
to whoever asks, hence the loopback address; tokens it never shows.

What TikTok documents, or was seen to do (kept to the letter)
-----------------------------------------------------------
* HTTP 200 for errors, the envelope `code`, `message`, `request_id`, `data`; the numbers and names
  of codes (official SDK); the texts marked "seen" in `answers`; 40001 names the pixel code.
* At most 1000 events, one event source and id a request; with more, all are rejected.
* A request with one bad event is refused whole; `event_source_id`, `event_id` and `content_id`
  must be strings ("Invalid value for event_id: not a valid string." and "Batch.0.properties.
  contents.0.content_id: Not a valid string" were both seen: `names_index` chooses).
* What is hashed, which fields each event source requires, which texts `content_type`,
  `customer_type` and `att_status` may be; 40062 exists for what is not hashed.
* Repeats: see `state`. The clock is the arrival's, the 48 hours run from the first.
* 20001 with `data.failed_events[].order_in_batch`, counted from 0, on the sibling `/app/batch/`.

What we assume (nobody outside can know; each is the narrow reading, and may be switched in
`settings` where a sender could be right to differ)
-----------------------------------------------------------
* The order of the checks; that only the first mistake is named; texts not marked "seen".
* 40061 for too many events (or 40002, `oversize_code`); 40002 for an empty `data`, for a body that
  is not JSON or not declared so, and for a compressed one; HTTP 413 above `max_body_bytes`.
* That `page.url`, hashed `external_id`, an e-mail or phone offline, and the rules for names are
  enforced (`Strictness`); that `null` and empty texts are refused, and unknown keys are not.
* `event_time` in milliseconds is refused; old and future times are not, no bound is published.
* Currency must look like ISO 4217; which ones TikTok supports is not checked. Addresses are not
  checked either, and neither are well-formed but wrong digests: TikTok answers those with 0.
* 20001 and 40050 on this endpoint, `Retry-After` and HTTP statuses other than 200: only when a
  fault asks for them.
* Test events are listed, but have no effect and are not remembered.

Decisions
---------
* `poison`, `partial` and shares pick events by their id, never by chance: an event that TikTok
  refuses is refused again, which is what makes splitting a batch come to an end.
* Events whose answer is lost (`received`) count: only so can a test see that a second sending was
  dropped as a repeat, and that nothing was sent twice without need.
* `light` answers a thousand events of 750 bytes in about 3 ms, by parsing and remembering 64-bit
  hashes of ids, so that it is never what a benchmark measures. `POST /sandbox/missing` says which
  ids had no effect in either mode.
* Memory is bounded: the last `keep_events` and `keep_requests` are kept; ids for 48 to 96 hours.
"""
