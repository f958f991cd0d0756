"""A small cluster with its journal at hand, for tests."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.cluster.cluster import Cluster
from engine.commands import apply, parse_command
from engine.config import TINY, Config
from engine.consumer.consumer import Consumer
from engine.ids import BrokerId, ConsumerId, GroupId
from engine.journal.journal import Journal

GROUP = GroupId("readers")


class Stage:
    """A cluster of TINY limits and the journal that it writes; ``do`` gives commands, ``events`` reads back."""

    def __init__(self, directory: Path, config: Config = TINY, seed: int = 1, brokers: int = 3) -> None:
        self.directory = directory / "cluster"
        self.journal = Journal.open(directory / "journal")
        self.cluster = Cluster(
            scenario="test", directory=self.directory, config=config, seed=seed, journal=self.journal, start_us=0
        )
        for number in range(1, brokers + 1):
            self.cluster.add_broker(BrokerId(number))
        self.cluster.write_checkpoint("start")
        self.run_ms(10)

    def do(self, command: str, **fields: object) -> None:
        apply(self.cluster, parse_command({"command": command, **fields}))

    def run_ms(self, milliseconds: float) -> None:
        self.cluster.run_until(self.cluster.now_us + round(milliseconds * 1000))

    def with_topic(self, partitions: int = 3) -> "Stage":
        """Add a topic with one message in every partition, so that the registry knows all of it."""
        self.do("add_topic", topic="clicks", partitions=partitions)
        for number in range(partitions):
            assert self.next_append("clicks") == number
            self.do("produce", records=[{"value": f"first of {number}"}])
        self.run_ms(20)
        return self

    def with_group(self, *names: str) -> "Stage":
        """Add a group on that topic and wait until its consumers have settled."""
        self.do("add_group", group=GROUP)
        for name in names:
            self.do("add_consumer", group=GROUP, consumer=name)
        self.run_ms(200)
        return self

    def next_append(self, topic: str) -> int:
        return int(self.cluster.state.producer.next_append.get(topic, 0))

    def consumer(self, name: str) -> Consumer:
        return self.cluster.state.consumer(ConsumerId(GROUP, name))

    def owners(self) -> dict[str, list[str]]:
        """Return the partitions of each consumer, as the registry has them."""
        facts = self.cluster.facts()
        return {one["consumer"]: one["owns"] for group in facts["groups"] for one in group["consumers"]}

    def position(self, partition: int = 0, group: str = GROUP) -> Mapping[str, Any]:
        for one in self.cluster.facts()["groups"]:
            if one["group"] == group:
                return next(place for place in one["partitions"] if place["partition"] == partition)
        raise AssertionError(group)

    def partition(self, number: int = 0, topic: str = "clicks") -> Mapping[str, Any]:
        for one in self.cluster.facts()["topics"]:
            if one["topic"] == topic:
                return dict(one["partitions"][number])
        raise AssertionError(topic)

    def events(self, *names: str) -> list[dict[str, Any]]:
        """Return the events of the journal so far, all of them or the named kinds."""
        self.cluster.publish()
        events = [json.loads(payload) for payload in payloads(self.journal)]
        return [event for event in events if not names or event["event"] in names]


def payloads(journal: Journal) -> list[bytes]:
    """Return every event of a journal, as bytes."""
    found: list[bytes] = []
    offset = 0
    while offset < journal.end_offset:
        chunk = journal.read(offset, 10_000_000)
        found += chunk.payloads
        offset = chunk.next_offset
    return found


def with_consumer(config: Config, **changes: float | str) -> Config:
    """Return a config with other settings of its consumers."""
    return replace(config, consumer=replace(config.consumer, **changes))  # type: ignore[arg-type]


def with_producer(config: Config, **changes: float | str) -> Config:
    """Return a config with other settings of its producer."""
    return replace(config, producer=replace(config.producer, **changes))  # type: ignore[arg-type]
