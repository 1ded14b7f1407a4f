"""One event under its names: what ads optimise for, what the Events API calls it, what reports
count it as.

Source: the enumerations and metric labels of TikTok's Marketing API v1.3, as transcribed by the Go
SDK bububa/tiktok-business, and TikTok's list of standard events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class EventName:
    """`optimization_event` is the ad side's code, `event` the Events API's name (None: the pixel's
    own), `legacy` what the Events API called it before; `count` and `value` are metrics of
    reports. `deprecated` ones should not be optimised for any more."""

    optimization_event: str
    event: str | None
    legacy: str | None
    count: str
    value: str | None
    deprecated: bool = False


EVENT_NAMES: Final = (
    # `total_complete_payment_rate` is a value in spite of its name: two sets of labels say so.
    EventName(
        "SHOPPING",
        "Purchase",
        "CompletePayment",
        "complete_payment",
        "total_complete_payment_rate",
    ),
    EventName(
        "INITIATE_ORDER",
        "InitiateCheckout",
        None,
        "initiate_checkout",
        "total_initiate_checkout_value",
    ),
    EventName("ADD_BILLING", "AddPaymentInfo", None, "add_billing", "total_add_billing_value"),
    EventName(
        "ON_WEB_CART",
        "AddToCart",
        None,
        "web_event_add_to_cart",
        "total_web_event_add_to_cart_value",
    ),
    EventName(
        "ON_WEB_DETAIL",
        "ViewContent",
        None,
        "page_content_view_events",
        "total_page_view_content_events_value",
    ),
    EventName(
        "ON_WEB_REGISTER",
        "CompleteRegistration",
        None,
        "user_registration",
        "total_user_registration_value",
    ),
    EventName("FORM", "Lead", "SubmitForm", "form", "total_form_value"),
    EventName("CONSULT", "Contact", None, "online_consult", "total_online_consult_value"),
    EventName(
        "ON_WEB_SUBSCRIBE", "Subscribe", None, "on_web_subscribe", "total_on_web_subscribe_value"
    ),
    EventName(
        "ON_WEB_ADD_TO_WISHLIST",
        "AddToWishlist",
        None,
        "on_web_add_to_wishlist",
        "total_on_web_add_to_wishlist_value",
    ),
    EventName(
        "ON_WEB_SEARCH", "Search", None, "page_event_search", "total_page_event_search_value"
    ),
    EventName("DOWNLOAD_START", "Download", None, "download_start", "total_download_start_value"),
    EventName(
        "ON_WEB_ORDER",
        None,
        "PlaceAnOrder",
        "on_web_order",
        "total_on_web_order_value",
        deprecated=True,
    ),
    EventName(
        "BUTTON", None, "ClickButton", "button_click", "total_button_click_value", deprecated=True
    ),
    EventName("LANDING_PAGE_VIEW", None, None, "total_landing_page_view", None),
    EventName("PAGE_VIEW", "Pageview", None, "total_pageview", "total_value_per_pageview"),
)

BY_OPTIMIZATION_EVENT: Final = {each.optimization_event: each for each in EVENT_NAMES}

#: By the Events API's name, the present one or the legacy one.
BY_EVENT: Final = {
    name: each for each in EVENT_NAMES for name in (each.event, each.legacy) if name is not None
}
