"""Recovery: all faults end, and the run waits until nothing changes any more.

Links and disks are repaired, and the processes that store data (brokers and loaders) are started. Consumers and groups
get no command, so a consumer that does not recover by itself stays behind, and a checker sees it.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from engine.cluster.cluster import Cluster
from engine.simulation.operations import TOPIC

ROUND_US = 50_000
QUIET_US = 1_000_000
"""How long nothing may have changed before the run is over: several times the longest timeout of any process."""
LONGEST_US = 30_000_000
"""The longest wait: more than the slowest consumer needs for all messages of the longest schedule."""
LAST_MESSAGES_EACH = 2
HEALTHY_PRODUCER = {"rate_per_second": 0, "partitioner": "round_robin", "keys": 0, "sending": "sync"}


class ClusterRun(Protocol):
    """A cluster that can be given commands and time."""

    cluster: Cluster

    def do(self, fields: Mapping[str, Any]) -> bool:
        """Apply a command; return whether it was accepted."""

    def pass_time(self, duration_us: int) -> None:
        """Let virtual time pass."""


def recover(run: ClusterRun) -> None:
    """End all faults, send last messages to every partition, and wait, within bounds, until nothing changes any more.

    Whether all groups have caught up is not decided here: a checker reads it from the history.
    """
    _end_faults(run)
    _await_registered_brokers(run)
    for _ in range(LAST_MESSAGES_EACH * len(run.cluster.state.topics[TOPIC])):
        run.do({"command": "produce", "topic": TOPIC, "count": 1})
    _wait_until_quiet(run)


def _end_faults(run: ClusterRun) -> None:
    """End all faults. Suspended consumers resume by themselves, in the time that brokers need to register."""
    state = run.cluster.state
    run.do({"command": "heal_links"})
    run.do({"command": "set_producer", "topic": TOPIC, **HEALTHY_PRODUCER})
    for number, broker in state.brokers.items():
        run.do({"command": "set_disk", "broker": number})
        if not broker.alive:
            run.do({"command": "start_broker", "broker": number})
    for loader in state.deployment.loaders.values():
        if not loader.alive:
            run.do({"command": "start_loader", "loader": loader.name})


def _await_registered_brokers(run: ClusterRun) -> None:
    """Wait until the producer can send to every partition: a session from before a crash must expire first."""
    state = run.cluster.state
    until_us = run.cluster.now_us + LONGEST_US
    while len(state.producer.candidates(TOPIC)) < len(state.topics[TOPIC]) and run.cluster.now_us < until_us:
        run.pass_time(ROUND_US)


def _wait_until_quiet(run: ClusterRun) -> None:
    state, cluster = run.cluster.state, run.cluster
    resumed_us = max([consumer.frozen_until_us for consumer in state.all_consumers()], default=0)
    run.pass_time(max(0, resumed_us - cluster.now_us))
    until_us = cluster.now_us + LONGEST_US
    moved_us, progress = cluster.now_us, _progress(cluster)
    while cluster.now_us < min(until_us, moved_us + QUIET_US):
        run.pass_time(ROUND_US)
        before, progress = progress, _progress(cluster)
        if progress != before:
            moved_us = cluster.now_us


def _progress(cluster: Cluster) -> tuple[object, ...]:
    """Return everything that changes while a group still catches up."""
    state = cluster.state
    logs = [broker.logs[partition] for broker in state.brokers.values() for partition in broker.logs]
    consumers = state.all_consumers()
    return (
        [(log.flushed_offset, log.next_offset) for log in logs],
        [consumer.state.name for consumer in consumers],
        [fetcher.consumed_offset for consumer in consumers for fetcher in consumer.fetchers.values()],
        [
            state.committed_offset(name, partition)
            for name, group in state.groups.items()
            for partition in state.all_partitions()
            if partition.topic in group.topics
        ],
        [loader.next_offsets.copy() for loader in state.deployment.loaders.values()],
    )
