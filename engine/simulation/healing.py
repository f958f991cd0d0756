"""The end of all failures: what an operator would mend, and the wait until everybody has caught up."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from engine.cluster.cluster import Cluster
from engine.consumer.consumer import ENDED_STATES, Consumer
from engine.consumer.fetcher import Fetcher
from engine.simulation.acts import TOPIC
from engine.storage.log import Log

ROUND_US = 50_000
MOST_ROUNDS = 100
LAST_MESSAGES_EACH = 2
HEALTHY_CONSUMER = {
    "fetch_bytes": 8_000,
    "messages_per_second": 5_000,
    "commit_interval_ms": 20,
    "position_moves": "after",
    "offset_reset": "smallest",
}
HEALTHY_PRODUCER = {"rate_per_second": 0, "partitioner": "round_robin", "keys": 0, "sending": "sync"}
NOT_AN_ENTRY = -1


class Patient(Protocol):
    """A cluster that can be given commands and time."""

    cluster: Cluster

    def do(self, fields: Mapping[str, Any]) -> bool:
        """Give a command; whether it could be done."""

    def pass_time(self, duration_us: int) -> None:
        """Let virtual time pass."""


def heal(patient: Patient) -> None:
    """Mend everything, send last messages to every partition, and wait, within bounds, until all of it is consumed.

    Whether that came to be is not said here: a checker sees it in the evidence.
    """
    _mend(patient)
    for _ in range(MOST_ROUNDS):
        patient.pass_time(ROUND_US)
        _help(patient)
        if len(patient.cluster.state.producer.candidates(TOPIC)) == len(patient.cluster.state.topics[TOPIC]):
            break
    for _ in range(LAST_MESSAGES_EACH * len(patient.cluster.state.topics[TOPIC])):
        patient.do({"command": "produce", "topic": TOPIC, "count": 1})
    for _ in range(MOST_ROUNDS):
        patient.pass_time(ROUND_US)
        if not list(behind(patient.cluster.facts())):
            break
        _help(patient)


def behind(facts: Mapping[str, Any]) -> Iterator[str]:
    """What a group has not consumed and committed yet, or nobody owns, a sentence each; see ``Cluster.facts``."""
    ends = {
        (topic["topic"], one["partition"]): (one["flushed_offset"], one["next_offset"])
        for topic in facts["topics"]
        for one in topic["partitions"]
    }
    for group in facts["groups"]:
        for place in group["partitions"]:
            name = f"{group['group']}: {place['topic']}-{place['partition']}"
            flushed_offset, next_offset = ends[(place["topic"], place["partition"])]
            if not place["owner"]:
                yield f"{name} has no owner"
            if place["committed_offset"] != next_offset:
                yield f"{name} is committed up to {place['committed_offset']} of {next_offset}"
            if flushed_offset != next_offset:
                yield f"{name} is flushed up to {flushed_offset} of {next_offset}"
    for loader in facts.get("deployment", {}).get("loaders", ()):
        for place in loader["partitions"]:
            _, next_offset = ends[(place["topic"], place["partition"])]
            if place["next_offset"] != next_offset:
                yield f"the warehouse has {place['topic']}-{place['partition']} up to {place['next_offset']}"


def _mend(patient: Patient) -> None:
    state = patient.cluster.state
    awake_us = max([consumer.frozen_until_us for consumer in state.all_consumers()], default=0)
    patient.pass_time(max(0, awake_us - patient.cluster.now_us))
    patient.do({"command": "heal_links"})
    patient.do({"command": "set_producer", "topic": TOPIC, **HEALTHY_PRODUCER})
    for number, broker in state.brokers.items():
        patient.do({"command": "set_disk", "broker": number})
        if not broker.alive:
            patient.do({"command": "start_broker", "broker": number})
    for loader in state.deployment.loaders.values():
        if not loader.alive:
            patient.do({"command": "start_loader", "loader": loader.name})
    for group in state.groups:
        if not any(_alive(consumer) for consumer in state.groups[group].consumers.values()):
            patient.do({"command": "add_consumer", "group": group})
    for consumer in state.all_consumers():
        if _alive(consumer):
            who = {"group": consumer.consumer.group, "consumer": consumer.consumer.name}
            patient.do({"command": "set_consumer", **who, **HEALTHY_CONSUMER})
            if consumer.paused:
                patient.do({"command": "resume_consumer", **who})


def _help(patient: Patient) -> None:
    """What an operator does about those who say that they are stuck: brokers that halted, failed rebalances, bad bytes.

    A broker whose disk was full halts only when the next message set comes, so perhaps now.
    """
    state = patient.cluster.state
    for consumer in state.all_consumers():
        who = {"group": consumer.consumer.group, "consumer": consumer.consumer.name}
        if consumer.state.state == "failed":
            patient.do({"command": "crash_consumer", **who})
            patient.do({"command": "add_consumer", **who})
        for fetcher in list(consumer.fetchers.values()):
            if fetcher.error:
                log = state.broker_of(fetcher.partition).logs[fetcher.partition]
                where = {
                    "topic": fetcher.partition.topic,
                    "partition": fetcher.partition.partition,
                    "offset": _way_out(fetcher, log),
                }
                patient.do({"command": "seek", "group": consumer.consumer.group, **where})


def _alive(consumer: Consumer) -> bool:
    return consumer.state.state not in ENDED_STATES | {"closing"}


def _way_out(fetcher: Fetcher, log: Log) -> int | str:
    """Where a position that met bad bytes goes on: behind the damaged entry, or at the same one with larger pulls.

    A position where no entry begins (the log was cut below it, and has grown again) starts from the beginning.
    """
    next_offset = _end_of_entry(log, fetcher.fetch_offset)
    if next_offset == NOT_AN_ENTRY:
        return "earliest"
    return next_offset if fetcher.error == "invalid_message" else fetcher.fetch_offset


def _end_of_entry(log: Log, offset: int) -> int:
    """Where the entry that begins at ``offset`` ends, by the lengths alone; ``NOT_AN_ENTRY`` if none begins there."""
    start = max((one.base_offset for one in log.segments if one.base_offset <= offset), default=log.next_offset)
    while start < log.flushed_offset:
        next_offset = start + 4 + int.from_bytes(log.read(start, 4), "big")
        if start == offset:
            return next_offset
        start = next_offset
    return NOT_AN_ENTRY
