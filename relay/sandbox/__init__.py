"""A strict local stand-in for TikTok's v1.3 API, with faults on demand.

For our own tests and for users who want to see what their events would meet. `http.create_app` is
the application, `http.running` serves it within a block, `http.serve` as a process of its own.
A relay is pointed at it with `tiktok.base_url = "http://127.0.0.1:<port>/open_api/v1.3"`; the page
of consent is `http://127.0.0.1:<port>/portal/auth`.

    http        aiohttp: waits and writes          inspection  /sandbox/…: ask and tell
    gateway     the way of one call                plan        the form of a fault plan
    events      the Events API: one route          faults      what a plan makes of a call
    refusals    the strict check of a request      profiles    plans by name
    state       what came, and what it effects     settings    how it is set up
    access      tokens, pixels and ad accounts     answers     envelope, codes, texts
    conditions  when a fault fires                 spoil       good answers, spoiled on the way
    world       all of it together, and the words they share
    marketing   the Marketing API: its families    ads         the ad accounts it speaks of

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

Of the Marketing API:
* Paths, parameters, maxima of `page_size` and of ids, names of fields, enumerations and metrics
  (the official SDK's files; the docs as the Go SDK bububa/tiktok-business transcribes them).
* Arrays and objects of a query are JSON, `filter_value` is JSON within JSON. Lists come with the
  greatest id first; `budget_optimize_on` only where it is true; `tracking_pixel_id` is a number.
* Days of reports are the account's, closed intervals, at most 30 by day, 1 by hour, 365 otherwise;
  values are texts, `-` where there is none. Deleted objects are left out unless the level's own
  status filter says otherwise. Parent ids are metrics. More than 20 000 ids: the newest, with
  `X-Tt-Ads-Throttle` and `extra_info.search_ads_throttle`. Money of several accounts has no
  decimals.
* Pixel statistics are by days of UTC and by the ad side's codes.
* A code is good once, for an hour (40110); tokens of advertisers do not expire; a task belongs to
  the token that created it, is valid for 30 days, its `download_url` for an hour.
* 10 calls a second and 600 a minute an app, then five minutes' rest; one task a second, 500 an hour
  for an account, 4 500 a day. The texts of 40100 were seen, so were those for invalid metrics, for
  too many days and for lost accounts (`answers`, `report_request`).
* The change log's file: a JSON text, in it the text of a Python `bytes`, in it a CSV.

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

Of the Marketing API:
* Unknown parameters, filters and names in `fields` are refused (`unknown_parameters` lets the first
  two pass); so are metrics that this stand-in has no name for (`extra_metrics` adds some), and
  attributes of a level below the report's, or beside no id.
* All texts but those that were seen; 40007 for a pixel or a task that is not there, 40113 for an
  unknown app, 40016 for tasks in quick succession, 40133 for too many of one account; which
  permission opens which endpoint, where no source says it.
* Limits slide (so many in any one second); what is refused for the second counts for the minute.
* Campaigns, too, come without the deleted ones by default. `custom_conversion_id` stands in
  `/adgroup/get/`, too. `total_page` of an empty list is 0.
* `primary_status` is read from the names of the secondary ones.
* A pixel is linked to its own account where the ad world says nothing else.
* Background reports have deleted objects among their rows; their titles are translated to something
  near what the Ads Manager shows; a file is of the moment when its task ended.
* Consent that is refused sends nobody back. `/user/info/` and the form of `gmt_offset`.
* Not played: reports other than BASIC, dimensions across objects (country, event source, …),
  several accounts in UTC: 40008, as in TikTok's own sandbox. TikTok's penalties for reports that
  time out: the time-outs are faults here.

Decisions
---------
* `poison`, `partial` and shares pick events by their id, never by chance: an event that TikTok
  refuses is refused again, which is what makes splitting a batch come to an end.
* Events whose answer is lost (`received`) count: only so can a test see that a second sending was
  dropped as a repeat, and that nothing was sent twice without need.
* `light` answers a thousand events of 750 bytes in about 3 ms, by parsing and remembering 64-bit
  hashes of ids, so that it is never what a benchmark measures. `POST /sandbox/missing` says which
  ids had no effect in either mode.
* Memory is bounded: the last `keep_events` and `keep_requests` are kept; ids for 48 to 96 hours;
  reports for their pages within `keep_report_bytes`; files are made while they are fetched.
* Faults of reads (`marketing.faults`) leave the world as it is: a row that appears between two
  pages was hidden on the first. Those that need a whole answer (`short_page`, …) are asked only
  where there is something for them to spoil, so that `count` counts what was spoiled.
* What the Events API accepts goes to the ad world in the same step as into the log.
"""
