"""The full state of a cluster in the shape that a reader of the journal folds (docs/journal.md, "The state")."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from engine.cluster.deployment import Deployment
from engine.cluster.state import Parts
from engine.consumer.consumer import Consumer, address_of
from engine.consumer.fetcher import Fetcher
from engine.events.base import Event
from engine.ids import GroupId, TopicPartition

SUMMARY_ENTRIES = 4
"""As many of the newest entries and segments of a partition stand in a summary."""


def snapshot(parts: Parts) -> dict[str, Any]:
    """Everything a late reader must know, as JSON values that share nothing with the living cluster."""
    partitions = {str(partition): _partition(parts, partition) for partition in parts.all_partitions()}
    flights = {name: event.as_json() for name, event in _flights(parts)}
    return _state(parts, partitions, flights)


def summary(parts: Parts) -> dict[str, Any]:
    """What is left of the snapshot for a reader who cannot follow every event: no flights, the newest entries only."""
    partitions = {str(partition): _newest(_partition(parts, partition)) for partition in parts.all_partitions()}
    return _state(parts, partitions, {})


def _newest(partition: dict[str, Any]) -> dict[str, Any]:
    lists = ("segments", "entries")
    return {**partition, **{name: partition[name][-SUMMARY_ENTRIES:] for name in lists}}


def _state(parts: Parts, partitions: dict[str, Any], flights: dict[str, Any]) -> dict[str, Any]:
    consumers = parts.all_consumers()
    return {
        "at_us": parts.scheduler.now_us,
        "scenario": parts.scenario,
        "seed": parts.seed,
        "topics": {topic: _topic(parts, topic) for topic in parts.topics},
        "partitions": partitions,
        "brokers": {
            str(number): {
                "alive": broker.alive,
                "session_expires_at_us": parts.session_ends_us.get(broker.address, 0),
                "disk": {"delay_us": broker.disk_delay_us, "full": broker.disk_full},
            }
            for number, broker in parts.brokers.items()
        },
        "producer": asdict(parts.producer.settings),
        "producer_queue": parts.producer.queue_counts._asdict(),
        "groups": {
            name: {"topics": list(group.topics), "consumers": list(group.consumers), **asdict(parts.done[name])}
            for name, group in parts.groups.items()
        },
        "consumers": {str(consumer.consumer): _consumer(parts, consumer) for consumer in consumers},
        "positions": {
            f"{group}/{partition}": {
                "consumer": parts.pulling[group, partition],
                "fetch_offset": fetcher.fetch_offset,
                "consumed_offset": fetcher.consumed_offset,
                "error": fetcher.error,
            }
            for group, partition, fetcher in _pulls(parts)
        },
        "bookmarks": {
            f"{group}/{partition}": asdict(bookmark) for (group, partition), bookmark in parts.bookmarks.items()
        },
        "registry": {
            registry.chroot + path: [node.value, registry.client_of(node.session)]
            for registry in parts.registries
            for path, node in registry.tree
        },
        "watches": {
            registry.chroot + path: {str(session): registry.client_of(session) for session in sessions}
            for registry in parts.registries
            for path, sessions in registry.tree.watches()
        },
        "links": {
            f"{one} | {other}": {
                "cut": trouble.cut,
                "loss_permille": trouble.loss_permille,
                "delay_us": trouble.delay_us,
            }
            for (one, other), trouble in parts.network.troubles
        },
        "flights": flights,
        **_deployment(parts.deployment),
    }


def _pulls(parts: Parts) -> Iterator[tuple[GroupId, TopicPartition, Fetcher]]:
    """Who pulls what, as the journal has it."""
    for (group, partition), name in parts.pulling.items():
        yield group, partition, parts.groups[group].consumers[name].fetchers[partition]


def _deployment(deployment: Deployment) -> dict[str, Any]:
    """The state of what lies beyond the live datacenter; no key at all where there is nothing."""
    if not deployment.exists:
        return {}
    placed = deployment.placements.items()
    return {
        "deployment": {
            "datacenters": {
                name: {
                    "registry": registry.address,
                    "chroot": registry.chroot,
                    "brokers": [broker for broker, where in placed if where == name],
                }
                for name, registry in deployment.registries.items()
            },
            "mirrors": {
                group: {
                    "routes": [list(pair) for pair in route.copies.items()],
                    "acknowledgement": deployment.acknowledgements[group],
                    "messages": deployment.mirrored[group],
                }
                for group, route in deployment.routes.items()
            },
            "loaders": {
                name: {
                    "state": loader.state,
                    "topics": list(loader.sources.topics),
                    "rows": loader.rows,
                    "next_offsets": {str(partition): offset for partition, offset in loader.next_offsets.items()},
                }
                for name, loader in deployment.loaders.items()
            },
            "auditors": {
                tier: {"topics": list(auditor.sources.topics)} for tier, auditor in deployment.auditors.items()
            },
            "audit": [
                [one.tier, one.topic, one.window_start_us, one.window_end_us, one.produced, one.received]
                for one in deployment.counts
            ],
            "latency": [
                [one.topic, one.window_start_us, one.window_end_us, one.messages, one.average_us, one.percentile_95_us]
                for one in deployment.latencies
            ],
        }
    }


def _flights(parts: Parts) -> Iterator[tuple[str, Event]]:
    """What is on the wire, what has landed but waits for a disk, and what waits for the commit of its transaction."""
    yield from parts.network.flights
    for broker in parts.brokers.values():
        yield from broker.waiting.items()
    for loader in parts.deployment.loaders.values():
        yield from loader.writing.items()


def _topic(parts: Parts, topic: str) -> dict[str, Any]:
    return {
        "events_appended": events_appended(parts, topic),
        "next_append_partition": parts.producer.next_append.get(topic, 0),
        "brokers": list(parts.topics[topic]),
    }


def events_appended(parts: Parts, topic: str) -> int:
    """How many messages a topic holds in all."""
    count = len(parts.topics[topic])
    return sum(parts.tallies[TopicPartition(topic, number)].messages for number in range(count))


def _partition(parts: Parts, partition: TopicPartition) -> dict[str, Any]:
    broker = parts.broker_of(partition)
    log = broker.logs[partition]
    return {
        "topic": partition.topic,
        "partition": partition.partition,
        "broker": broker.broker,
        "first_offset": log.first_offset,
        "flushed_offset": log.flushed_offset,
        "next_offset": log.next_offset,
        "messages": parts.tallies[partition].messages,
        "segments": [[segment.base_offset, segment.bytes] for segment in log.segments],
        "entries": [list(entry) for entry in parts.tallies[partition].recent],
    }


def _consumer(parts: Parts, consumer: Consumer) -> dict[str, Any]:
    standing = consumer.standing
    return {
        "group": consumer.consumer.group,
        "consumer": consumer.consumer.name,
        "state": standing.state,
        "paused": consumer.paused,
        "session_expires_at_us": parts.session_ends_us.get(address_of(consumer.consumer), 0),
        "frozen_until_us": consumer.frozen_until_us,
        "streams": len(consumer.streams),
        "settings": asdict(consumer.settings),
        "rebalance": {
            "attempt": standing.attempt,
            "cause": standing.cause,
            "step": standing.step,
            "members": list(standing.members),
            "partitions": list(standing.partitions),
            "share": list(standing.share),
            "until_us": standing.until_us,
        },
    }
