"""A small deployment pattern with its journal at hand, for tests: two datacenters, mirrors, a warehouse, an audit."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.config import TINY, Config
from engine.message.message_set import iterate_deep
from engine.pipeline.loader import Loader
from engine.scenarios import MIRROR, deploy
from tests.support.clusters import Stage

SMALL = replace(
    TINY,
    segment_bytes=2_048,
    consumer=replace(TINY.consumer, fetch_bytes=2_048, messages_per_second=5_000, queued_chunks=4),
)
"""TINY, with room for page views in a fetch."""
WHOLE_LOG_BYTES = 10_000_000


def with_deployment(config: Config, **changes: int | str) -> Config:
    """Return a config with other settings of its deployment."""
    return replace(config, deployment=replace(config.deployment, **changes))  # type: ignore[arg-type]


class Deployed(Stage):
    """The deployment of the scenario with a message in every live partition, and mirrors by name."""

    def __init__(
        self, directory: Path, config: Config = SMALL, seed: int = 1, mirrors: tuple[str, ...] = ("A",)
    ) -> None:
        super().__init__(directory, config, seed, brokers=0)
        deploy(self.cluster)
        self.run_ms(20)
        for _ in range(3):
            self.send(1)
        self.run_ms(20)
        for name in mirrors:
            self.do("add_consumer", group=MIRROR, consumer=name)
        self.run_ms(300)

    def send(self, count: int) -> None:
        """Produce page views that the producer makes up and stamps."""
        self.do("produce", topic="pageviews", count=count)

    def send_steadily(self, milliseconds: int, every_ms: int = 5, count: int = 2) -> None:
        for _ in range(milliseconds // every_ms):
            self.send(count)
            self.run_ms(every_ms)

    @property
    def loader(self) -> Loader:
        return self.cluster.state.deployment.loaders["Loader"]

    def log(self, topic: str, partition: int) -> list[bytes]:
        """Return the payloads of a partition, from its files."""
        broker = self.cluster.state.broker_of(self.cluster.state.partition(topic, partition))
        files = sorted((self.directory / f"broker-{broker.broker}" / f"{topic}-{partition}").glob("*.kafka"))
        return [payload for file in files for _, _, payload in iterate_deep(file.read_bytes(), int(file.stem))]

    def logs(self, topic: str) -> list[list[bytes]]:
        """Return the payloads of a topic, partition by partition."""
        return [self.log(topic, number) for number in range(len(self.cluster.state.topics[topic]))]

    def warehouse(self, statement: str = "SELECT payload FROM messages") -> list[tuple[Any, ...]]:
        """Query the warehouse's file over a connection of its own."""
        connection = sqlite3.connect(f"file:{self.directory / 'warehouse-1.sqlite3'}?mode=ro", uri=True)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def table(self) -> Counter[bytes]:
        """Count how often each page view is in the warehouse."""
        return Counter(payload for (payload,) in self.warehouse())

    def copies(self) -> Counter[bytes]:
        """Count how often each page view is in the analysis datacenter."""
        return Counter(payload for log in self.logs("live.pageviews") for payload in log)

    def originals(self) -> Counter[bytes]:
        """Count how often each page view is in the live datacenter."""
        return Counter(payload for log in self.logs("pageviews") for payload in log)

    def totals(self, tier: str) -> tuple[int, int, int, int]:
        """Return produced, received, lost and duplicated over all windows of a tier."""
        produced, received, lost, duplicated = (
            sum(one[name] for one in self.audit(tier)) for name in ("produced", "received", "lost", "duplicated")
        )
        return produced, received, lost, duplicated

    def audit(self, tier: str) -> list[Mapping[str, Any]]:
        """Return the counts of a tier, oldest window first."""
        counts = [one for one in self.cluster.facts()["deployment"]["audit"] if one["tier"] == tier]
        return sorted(counts, key=lambda one: one["window_start_us"])
