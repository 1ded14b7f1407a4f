"""How the shops sign their webhooks: what the demo's senders do, and the relay checks. Pure."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping


def shopify(body: bytes, topic: str, secret: str) -> Mapping[str, str]:
    """HMAC-SHA256 in base64 over the body (Shopify docs, "Verify webhook deliveries")."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Shopify-Captain-Hook",
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": "demo-goods.myshopify.com",
        "X-Shopify-API-Version": "2026-07",
        "X-Shopify-Hmac-Sha256": _base64(body, secret),
    }


def woocommerce(body: bytes, topic: str, secret: str) -> Mapping[str, str]:
    """HMAC-SHA256 in base64 over the body (WooCommerce, `class-wc-webhook.php`)."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "WooCommerce/10.9.1 Hookshot (WordPress/6.9)",
        "X-WC-Webhook-Source": "https://shop.example/",
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Signature": _base64(body, secret),
    }


def stripe(body: bytes, at: int, secret: str) -> Mapping[str, str]:
    """HMAC-SHA256 in hex over time and body (Stripe docs, "Verify webhook signatures")."""
    digest = hmac.digest(secret.encode(), b"%d.%b" % (at, body), "sha256").hex()
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": f"t={at},v1={digest}",
    }


def _base64(body: bytes, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
