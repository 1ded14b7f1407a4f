"""What every sender promises, and the values a reading can be.

A source is pure: raw bytes, headers, secrets and `now` in, values out. It never does I/O, never
logs, and keeps no state of its own; what it must remember goes through `recall` (in) and
`Conversions.remember` (out), which the journal makes durable together with the events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import StringConstraints

#: A conversion in the canonical shape, still readable: TikTok's `data[]` item, and beside it
#: `order_id`, `consent`, `country`, `test_event_code`. Amounts are decimal strings in major units
#: ("142.20"), `event_time` is Unix time in seconds.
Conversion = dict[str, object]

#: What was remembered under a 16-byte key, or None.
Recall = Callable[[bytes], bytes | None]

#: Header names in lower case, values as received.
Headers = Mapping[str, str]


#: A code of TikTok's Test Events page.
TestEventCode = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]


class ValueBasis(StrEnum):
    """What `value` of a sale is. The default is what the buyer was charged (tax and shipping in,
    discounts out), because that is what a browser pixel on the thank-you page reports."""

    CHARGED = "charged"
    WITHOUT_SHIPPING = "without_shipping"
    NET = "net"  # without shipping and without tax


class PayloadReason(StrEnum):
    """Why a verified body could not be read (`PayloadRefused.reason`)."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"  # more elements than one request may carry
    NO_DATA = "no_data"
    TOO_COMPLEX = "too_complex"  # the mapping would have to work too long on this body
    FORMAT = "format"  # JSON was expected in another wrapping, or is wrapped in a broken one


class IgnoredReason(StrEnum):
    """Why a verified message is no conversion. Answered 200 and counted: a 4xx would cost the
    subscription (Shopify, WooCommerce and Stripe all switch failing webhooks off)."""

    TOPIC = "topic"  # nothing is mapped for this topic
    TRIGGER = "trigger"  # another topic is configured to report this sale
    SWITCHED_OFF = "switched_off"  # this event is not wanted, by configuration
    TEST = "test"  # a test order, and no test_event_code is configured
    CHANNEL = "channel"  # point of sale, draft order, admin, REST API
    NO_BROWSER = "no_browser"  # no buyer's browser took part
    CANCELLED = "cancelled"
    NOT_PAID = "not_paid"
    NOT_A_SALE = "not_a_sale"
    RENEWAL = "renewal"
    REFUND = "refund"
    NO_ACCOUNT = "no_account"  # a customer record without an account that somebody opened
    NOTHING_ADDED = "nothing_added"  # the cart holds no unit more than before
    STALE = "stale"  # an older state than the one already seen
    NO_DATA = "no_data"
    CONDITION = "condition"  # the mapping's `when` said no
    TOMBSTONE = "tombstone"  # a Kafka message without a value


class ControlAction(StrEnum):
    """What a message asks of the operator or the journal instead of reporting a conversion."""

    PING = "ping"
    APP_UNINSTALLED = "app_uninstalled"
    DATA_REQUEST = "data_request"
    ERASE = "erase"
    ERASE_SHOP = "erase_shop"


@dataclass(frozen=True, slots=True)
class Conversions:
    """Conversions to normalize, and what to remember in the same atomic write.

    `items` may be empty while `remember` is not (units taken out of a cart). An item is a
    conversion as the sender meant it, not yet validated; or a `relay.model.Refusal` where a
    mapping could not make one, to be recorded as it stands.
    """

    items: Sequence[object]
    remember: Mapping[bytes, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ignored:
    """Verified, but not a conversion."""

    reason: IgnoredReason


@dataclass(frozen=True, slots=True)
class Control:
    """A message about the subscription or about a person's data.

    `about` are lower-case SHA-256 hex digests of the person's identifiers (e-mail, phone,
    external id), hashed here so that nothing readable leaves the source.
    """

    action: ControlAction
    about: Sequence[str] = ()

    @property
    def erase(self) -> Sequence[str]:
        """The digests whose stored traces must go; empty unless erasure was asked for."""
        return self.about if self.action is ControlAction.ERASE else ()


Reading = Conversions | Ignored | Control


class Source(Protocol):
    """One configured sender."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    def is_ping(self, body: bytes, headers: Headers) -> bool:
        """Whether this is a greeting that its sender never signs. Ask before `verify`; answer
        200 and make no event of it."""
        ...

    def verify(self, body: bytes, headers: Headers, *, now: float) -> None:
        """Return if one of the secrets signed exactly these bytes.

        Raises `SignatureRefused`, and nothing else whatever the input; its reason is a
        `relay.sources.signature.SignatureReason`.
        """
        ...

    def read(self, body: bytes, headers: Headers, *, now: float, recall: Recall) -> Reading:
        """Say what a verified body means.

        Raises `PayloadRefused` with a `PayloadReason`, and nothing else whatever the input.
        """
        ...
