"""The senders: each one's signature and its mapping to conversions.

In: raw bytes, headers (names in lower case), the secrets, `now`. Out: a `Reading`, which is
conversions, a reason to ignore the message, or a control message. Two things are raised:
`SignatureRefused` (answer 401) and `PayloadRefused` (400; 413 for `too_large`, `too_many` and
`too_complex`), whatever the input. Everything is pure; `registry` alone imports modules, at start.

The order of questions for a webhook: `is_ping` (answer 200, nothing more), `verify`, `read`.

Decisions:

* A sender is one file with `KIND`, `Settings` and `build`; it is registered nowhere. What several
  share is in `signature`, `fields` and `protocol`.
* An unmapped topic, a draft, a pending order is `Ignored` with a word from a closed list, and is
  answered 200: WooCommerce, Shopify and others switch off webhooks that fail, and one lost
  subscription loses every later sale.
* A repeat is nobody's business here. `event_id` is the business id (checkout token, order id), so
  that the browser can compute it too, and the claims of the journal let one through: WooCommerce
  tells of one order up to nine times, Shopify under two topics.
* A conversion is as readable as it arrived: e-mail, phone with its `country`, amounts as the
  sender's own decimal text. Normalizing and hashing is the next stage. Only requests to erase a
  person are hashed here, because no conversion is made of them.
* Value is what the buyer was charged, in the currency the buyer saw; amount and currency are always
  taken from the same object. Never the URLs that hold an access key, nor Stripe's client secrets.
* Carts without a match key are conversions too; whether they are sent is the destination's policy.
* What must be remembered (Shopify's carts, to tell what was added) goes into the journal in the
  write that stores its conversions, so that a delivery repeated after a crash finds the state it
  left, and adds nothing.
* Mappings are JMESPath in a JSON object: it cannot loop, do I/O, or lose digits of an id, which
  jq, JSONata and templates can. It costs 30 to 70 us an order where Python costs 10 to 20; so the
  senders that many have are written in Python.
* The Events preview of Shopify is verified, but ignored: its payload is not published yet.
"""
