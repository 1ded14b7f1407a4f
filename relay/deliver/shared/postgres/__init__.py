"""The part of sharing that talks to PostgreSQL."""

from relay.deliver.shared.postgres.sharing import Sharing

__all__ = ["Sharing"]
