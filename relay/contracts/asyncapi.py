"""The AsyncAPI document of the topics: those that sources read, and those of the journal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from relay.config.settings import Journal
from relay.contracts import journal_messages, source_messages
from relay.journal.distributed.topics import Topics

Schema = dict[str, Any]

#: Of Kafka's bindings; from this version on a topic may have any setting.
_BINDING: Final = "0.5.0"

_JOURNAL: Final = Journal()


def asyncapi(conversion: Schema, version: str) -> Schema:
    """The document. `conversion` is the JSON Schema of a conversion; it and that of the event are
    referred to as the files beside this one."""
    read, kept = source_messages.messages(), journal_messages.messages()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Conversions relay, topics",
            "version": version,
            "description": "What sources of kind `kafka` read, and what a journal on Kafka keeps.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {"source": _source_channel(read), "journal": _journal_channel(kept)},
        "operations": {
            "readSource": {
                **_operation("receive", "source", read),
                "summary": "Read conversions. Offsets are committed once the journal has them.",
                "bindings": _group("`group` of the source"),
            },
            "store": {
                **_operation("send", "journal", kept),
                "summary": "Accept: idempotent, acknowledged by all replicas in sync (`acks=all`) "
                "before the sender gets its 2xx.",
            },
            "deliver": {
                **_operation("receive", "journal", kept),
                "summary": "Claim, deliver and settle; what is committed is the lowest offset that "
                "is not settled.",
                "bindings": _group(f"`journal.group`, by default `{_JOURNAL.group}`"),
            },
        },
        "components": {
            "schemas": {**source_messages.schemas(conversion), **journal_messages.schemas()},
            "messages": {**read, **kept},
        },
    }


def _source_channel(messages: Iterable[str]) -> Schema:
    return {
        "address": "{topic}",
        "title": "A topic that a source reads",
        "description": "Which of these messages it holds is the source's `format`. A message "
        "without a value (a tombstone) is passed over and counted; one that cannot be read ends as "
        "`invalid`. Any key will do.",
        "parameters": {"topic": {"description": "One of the source's `topics`."}},
        "messages": _messages(messages),
    }


def _journal_channel(messages: Iterable[str]) -> Schema:
    (topic,) = Topics(
        _JOURNAL.topic_prefix, _JOURNAL.partitions, _JOURNAL.replication, _JOURNAL.retention
    ).wanted(["any"])
    configuration = {name: _setting(name, value) for name, value in topic.settings.items()}
    return {
        "address": "{prefix}.{destination}",
        "title": "Where events wait for one destination",
        "description": "The relay alone writes here, one message an arrival. E-mail addresses, "
        "phone numbers, names, postal codes and ids of people are digests. The partition is the "
        "key's first eight bytes, as a big-endian number, modulo their count.",
        "parameters": {
            "prefix": {"default": _JOURNAL.topic_prefix, "description": "`journal.topic_prefix`"},
            "destination": {"description": "The `name` of a destination."},
        },
        "messages": _messages(messages),
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "replicas": topic.replication,
                "topicConfiguration": configuration,
                "bindingVersion": _BINDING,
            }
        },
    }


def _setting(name: str, value: str) -> object:
    """As bindings want it: Kafka itself takes text for everything."""
    if name == "cleanup.policy":
        return value.split(",")
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdigit() else value


def _messages(names: Iterable[str]) -> Schema:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _operation(action: str, channel: str, messages: Iterable[str]) -> Schema:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _group(description: str) -> Schema:
    group = {"type": "string", "description": description}
    return {"kafka": {"groupId": group, "bindingVersion": _BINDING}}
