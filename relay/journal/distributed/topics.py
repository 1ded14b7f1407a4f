"""Which topic is which destination's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from relay.kafka.topics import TopicWanted


@dataclass(frozen=True, slots=True)
class Topics:
    """A topic for each destination: one that is paused stops being read, and harms no other."""

    prefix: str
    partitions: int = 12
    replication: int = 3
    retention_s: float = 30 * 86400.0

    def of(self, destination: str) -> str:
        return f"{self.prefix}.{destination}"

    def destination(self, topic: str) -> str:
        return topic.removeprefix(f"{self.prefix}.")

    def wanted(self, destinations: Iterable[str]) -> list[TopicWanted]:
        """As they should be made: messages stay as long as what is settled can be found."""
        settings = {
            "retention.ms": str(int(self.retention_s * 1000)),
            "cleanup.policy": "delete",
            "min.insync.replicas": str(min(2, self.replication)),
            "unclean.leader.election.enable": "false",
            "compression.type": "producer",
        }
        return [
            TopicWanted(self.of(each), self.partitions, self.replication, settings)
            for each in destinations
        ]
