"""The walks: each a fresh cluster, a few commands at fixed virtual times, and the times at which it is drawn."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine import scenarios
from engine.cluster.cluster import Cluster
from engine.commands import apply, parse_command
from engine.config import TINY
from engine.journal.journal import Journal
from tests.support.clusters import Stage, payloads

HERE = Path(__file__).resolve().parent
METRICS = "Real-time metrics"
# milliseconds of virtual time, and the command given then
Act = tuple[int, Mapping[str, Any]]


@contextmanager
def pageviews() -> Iterator[tuple[Cluster, Journal]]:
    """Build the default state, at a pace for people."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder) / "journal")
        yield scenarios.build("pageviews", directory=Path(folder) / "cluster", seed=1, journal=journal), journal


@contextmanager
def forgetful() -> Iterator[tuple[Cluster, Journal]]:
    """Build a small fast cluster that keeps two segments of 256 bytes and checks retention every five milliseconds."""
    config = replace(TINY, retention_bytes=600, retention_check_interval_us=5_000)
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), config).with_topic(2).with_group("a")
        stage.cluster.write_checkpoint("walk")
        yield stage.cluster, stage.journal


@dataclass(frozen=True, slots=True)
class Walk:
    """One golden journal: where it begins, what is done, how long it lasts, and when it is drawn."""

    begin: Callable[[], Any]
    lasts_ms: int
    acts: tuple[Act, ...]
    drawn_at_ms: tuple[int, ...] = field(default=())

    def journal(self) -> str:
        """Return what the engine writes today: one event a line, from the full state at the start of the walk on."""
        with self.begin() as (cluster, journal):
            start_us = cluster.now_us
            for at_ms, command in self.acts:
                cluster.run_until(start_us + at_ms * 1_000)
                apply(cluster, parse_command(command))
            cluster.run_until(start_us + self.lasts_ms * 1_000)
            cluster.publish()
            lines = [payload.decode() for payload in payloads(journal)]
            journal.close()
        start = max(index for index, line in enumerate(lines) if is_start(json.loads(line)))
        return "".join(f"{line}\n" for line in lines[start:])


def is_start(event: Mapping[str, Any]) -> bool:
    """Return whether the checkpoint starts another state, and is not only a periodic one for late readers."""
    return event["event"] == "checkpoint" and event["cause"] != "periodic"


def command(name: str, **fields: object) -> Mapping[str, Any]:
    """Return a command as the API takes it."""
    return {"command": name, **fields}


def keyed(key: str, value: str) -> Mapping[str, Any]:
    """Return the command that produces one message with a key."""
    return command("produce", topic="pageviews", records=[{"key": key, "value": value}])


WALKS: Mapping[str, Walk] = {
    "write-and-read": Walk(
        pageviews,
        lasts_ms=6_000,
        acts=(
            (100, command("produce", topic="pageviews", count=3, size=180)),
            (900, keyed("user-17", "/cart")),
            (1_500, command("set_producer", compression="gzip")),
            (1_600, command("produce", topic="pageviews", count=6, size=180)),
        ),
        drawn_at_ms=(0, 600, 2_000, 2_600, 5_000),
    ),
    "crash-and-rebalance": Walk(
        pageviews,
        lasts_ms=10_000,
        acts=(
            (300, command("crash_consumer", group=METRICS, consumer="Metrics C")),
            (500, command("produce", topic="pageviews", count=3, size=180)),
            (2_200, command("crash_broker", broker=1)),
        ),
        drawn_at_ms=(1_000, 6_900, 9_500),
    ),
    "forget": Walk(
        forgetful,
        lasts_ms=60,
        acts=(
            *((4 * number, command("produce", count=6, size=60)) for number in range(8)),
            (40, command("seek", group="readers", partition=0, offset="earliest")),
            (50, command("crash_broker", broker=2)),
        ),
        drawn_at_ms=(20, 59),
    ),
}


def file_of(name: str) -> Path:
    """Return the file of a walk's journal."""
    return HERE / f"{name}.jsonl"
