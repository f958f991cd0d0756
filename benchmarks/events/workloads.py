"""The clusters that are measured: each is set up by commands, as a person would, and then left to itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.cluster.cluster import Cluster
from engine.commands import apply, parse_command
from engine.config import PAPER, SECOND_US
from engine.journal.journal import Journal
from engine.scenarios import build

SEED = 2011
SETTLE_US = 20 * SECOND_US
WARM_UP_US = 3 * SECOND_US
"""Until readers are in the midst of it: they see 500 messages at a time, and look every second while there are none."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A cluster at work: ``begin`` sets it up in a folder, then ``seconds`` of virtual time are measured."""

    name: str
    begin: Callable[[Path, Journal], Cluster]
    seconds: float


def do(cluster: Cluster, command: str, **fields: object) -> None:
    """Give a command."""
    apply(cluster, parse_command({"command": command, **fields}))


def paper_cluster(folder: Path, journal: Journal, *, groups: int, **consumer_settings: object) -> Cluster:
    """Three brokers with a partition each and ``groups`` groups of three consumers, with the paper's settings."""
    cluster = Cluster(
        scenario="benchmark", directory=folder / "cluster", config=PAPER, seed=SEED, journal=journal, start_us=0
    )
    cluster.write_checkpoint("start")
    for _ in range(3):
        do(cluster, "add_broker")
    cluster.run_until(SECOND_US)
    do(cluster, "add_topic", topic="clicks", partitions=3)
    for number in range(groups):
        group = f"group {number}"
        do(cluster, "add_group", group=group, topic="clicks")
        for name in ("A", "B", "C"):
            do(cluster, "add_consumer", group=group, consumer=f"{group} {name}")
            if consumer_settings:
                do(cluster, "set_consumer", group=group, consumer=f"{group} {name}", **consumer_settings)
    for number in range(9):  # brokers register a topic with its first message
        do(cluster, "produce", topic="clicks", count=3, size=200)
        cluster.run_until((2 + number) * SECOND_US)
    cluster.run_until(SETTLE_US)
    return cluster


def single_messages(folder: Path, journal: Journal) -> Cluster:
    """10,000 messages a second, each a set of its own, read by one group."""
    cluster = paper_cluster(folder, journal, groups=1)
    do(cluster, "set_producer", rate_per_second=10_000, batch_messages=1, linger_ms=0)
    return cluster


def batches(folder: Path, journal: Journal) -> Cluster:
    """10,000 messages a second in sets of 50, read by one group."""
    cluster = paper_cluster(folder, journal, groups=1)
    do(cluster, "set_producer", rate_per_second=10_000, batch_messages=50, linger_ms=100)
    return cluster


def many_readers(folder: Path, journal: Journal) -> Cluster:
    """Ten groups of three consumers, which fetch a few messages at a time and commit ten times a second."""
    cluster = paper_cluster(folder, journal, groups=10, fetch_bytes=1000, commit_interval_ms=100)
    do(cluster, "set_producer", rate_per_second=3_000, batch_messages=10, linger_ms=20)
    cluster.run_until(cluster.now_us + WARM_UP_US)
    return cluster


def waiting(folder: Path, journal: Journal) -> Cluster:
    """Sixteen groups of three consumers with nothing to read: empty fetches, and heartbeats without events."""
    return paper_cluster(folder, journal, groups=16)


def page_room(folder: Path, journal: Journal) -> Cluster:
    """The page's own room at the highest rate it takes, each message a set of its own: a segment every ten messages."""
    cluster = build("pageviews", directory=folder / "cluster", seed=SEED, journal=journal)
    do(cluster, "set_producer", rate_per_second=10_000, batch_messages=1, linger_ms=0)
    return cluster


SINGLE_MESSAGES = Workload("10,000 messages a second, one a set", single_messages, 2.0)
WORKLOADS = (
    SINGLE_MESSAGES,
    Workload("10,000 messages a second, 50 a set", batches, 4.0),
    Workload("30 consumers, small pulls, many commits", many_readers, 2.0),
    Workload("48 consumers with nothing to read", waiting, 200.0),
    Workload("the page's room, 10,000 messages a second", page_room, 2.0),
)
