"""From a readable conversion to an event: hashed, checked, already the bytes TikTok gets. All pure.

    event.py         `Normalizer(policy)(conversion, now=…)` → `Event` or `Refusal`, step by step
    parts.py         the objects of a conversion, completed (page, click id, lead, order id)
    requirements.py  which event source takes and needs what: the one table
    tables.py        the handler of every key
    fields.py        what a handler is, and the closed list of what can be wrong with a field
    identity, phone, network, text, money, moment, names, consent, url, countries, digest
    policy.py        what an operator may decide for one destination

In comes whatever JSON a sender calls a conversion (`relay.conversion` describes a good one). It is
never refused for a bad optional field: the field is dropped and named in `issues`, with a word of
`fields.Flaw`; neither the value nor a key of the sender's own is repeated there. Refused are only
events that have no name, no time or not what their source needs (`invalid`), that are too old
(`expired`), or whose person said no (`withheld`). Nothing is raised.

Two laws, held by property tests: anything gives a result; normalizing an event's `wire` again gives
the same `wire` (with the same consent: that is not on it).

What TikTok's documentation leaves open, and what was chosen:

* **What is hashed already** (64 hex digits after trimming) is never hashed again, only lowercased.
  Digests of "", "null", "undefined", … and of 0 (a shop's guest) are refused, and never made:
  TikTok takes them, and all people without a value become one.
* **Phones** go to E.164 by the country of the conversion, else the user's, else the destination's;
  what is not a possible number beyond doubt is dropped. `cn_phone_without_country_code` hashes
  Chinese numbers without +86, as one of TikTok's own templates asks; its documentation does not.
* **Names** keep letters and combining marks only: no spaces, digits, punctuation, no
  transliteration. City and state keep digits too. Both are composed to NFC first.
* **IDFA** is hashed in uppercase: that is what TikTok's printed digest shows.
* **Identifiers that TikTok does not list for an event source** are dropped (offline takes e-mail
  and phone only), unless `keep_unlisted_identifiers`.
* **Page**: TikTok's table requires `page.url` of web events, its examples lack it. So the
  policy's page stands in, and without one the event is sent, with an issue.
* **URLs** lose parameters with personal data or secrets; **free text and own properties** with an
  e-mail address in them are dropped. IP addresses of the documentation ranges (203.0.113.0/24, …)
  count as public: only examples hold them.
* **Event names**: reserved names become what TikTok's pixel makes of them (`CompletePayment` →
  `Purchase`), except where TikTok changed its mind (`SubmitForm`, `Checkout`, …) and on CRM events.
  A destination's own aliases override that; one that stands for itself switches its default off.
  "purchase" is a custom event; it passes, with an issue. Offline events are standard or refused.
* **Event id**: TikTok drops repeats by (event, event id), so every event gets one: the sender's,
  else the order id (one order has one event of a name), else a digest of the normalized content
  with the time it happened, not the time it is sent. On app events too: TikTok does not list it
  there, but its older API took it, and without it an unknown outcome could not be sent again.
  An id with an e-mail address in it, or too long to index, becomes its digest.
* **Time**: no zone means UTC. A clock up to `max_future_s` ahead runs fast: its time becomes now.
* **Money**: a decimal of at most 15 digits, rounded half up to the currency's minor unit. Text with
  separators is read where it has one meaning; "1,234" has two. Zero is kept, negative is dropped:
  TikTok has no refunds. An unlisted currency passes, with an issue.
* **Consent** that cannot be read is a refusal, `limited_data_use` that cannot be read limits, a
  `test_event_code` that cannot be read makes the event invalid: in doubt, less is sent.

Speed: handlers are found by key in dicts built once per destination; the user's by country, the
properties' by currency. There is one pass per object, and nothing is validated twice. A handler
answers with the very value it was given where that is clean, so an object is copied only once
something in it changes, and the sender's own is never touched. E-mails, phones and external ids as
most are written are recognised first; arrays and all that is odd come after.
Two caches hold what senders wrote, bounded and in memory only: national phone numbers (2048) and
names of URL parameters (4096).
"""
