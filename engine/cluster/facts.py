"""What a program is told about a cluster when it asks: the engine's part of ``GET /api/rooms/<room>``."""

from typing import Any

from engine.cluster.deployment import Deployment
from engine.cluster.snapshot import events_appended
from engine.cluster.state import ClusterState, Group
from engine.consumer.consumer import ENDED_STATES
from engine.ids import GroupId, TopicPartition
from engine.registry import paths
from engine.registry.server import RegistryServer

NOBODY = ""


def facts(state: ClusterState) -> dict[str, Any]:
    """Topics, brokers and groups as JSON values. Offsets and sizes are bytes; an owner of "" is nobody."""
    return {
        "topics": [_topic(state, topic) for topic in state.topics],
        "brokers": [{"broker": number, "alive": broker.alive} for number, broker in state.brokers.items()],
        "groups": [_group(state, name, group) for name, group in state.groups.items()],
        **_deployment(state.deployment),
    }


def _deployment(deployment: Deployment) -> dict[str, Any]:
    """The deployment as JSON values, times in microseconds; no key at all where there is only a live datacenter."""
    if not deployment.exists:
        return {}
    return {
        "deployment": {
            "datacenters": [
                {
                    "datacenter": name,
                    "registry": registry.address,
                    "brokers": [broker for broker, where in deployment.placements.items() if where == name],
                }
                for name, registry in deployment.registries.items()
            ],
            "mirrors": [
                {
                    "group": group,
                    "copies": dict(route.copies),
                    "acknowledgement": deployment.acknowledgements[group],
                    "messages_mirrored": deployment.mirrored[group],
                }
                for group, route in deployment.routes.items()
            ],
            "loaders": [
                {
                    "loader": name,
                    "state": loader.state,
                    "rows": loader.rows,
                    "partitions": [
                        {"topic": partition.topic, "partition": partition.partition, "next_offset": offset}
                        for partition, offset in loader.next_offsets.items()
                    ],
                }
                for name, loader in deployment.loaders.items()
            ],
            "audit": [
                {
                    "tier": one.tier,
                    "topic": one.topic,
                    "window_start_us": one.window_start_us,
                    "window_end_us": one.window_end_us,
                    "produced": one.produced,
                    "received": one.received,
                    "lost": max(0, one.produced - one.received),
                    "duplicated": max(0, one.received - one.produced),
                }
                for one in deployment.counts
            ],
            "latency": [
                {
                    "topic": one.topic,
                    "window_start_us": one.window_start_us,
                    "window_end_us": one.window_end_us,
                    "messages": one.messages,
                    "average_us": one.average_us,
                    "percentile_95_us": one.percentile_95_us,
                }
                for one in deployment.latencies
            ],
        }
    }


def _topic(state: ClusterState, topic: str) -> dict[str, Any]:
    return {
        "topic": topic,
        "events_appended": events_appended(state, topic),
        "next_append_partition": state.producer.next_append.get(topic, 0),
        "partitions": [_partition(state, TopicPartition(topic, number)) for number in range(len(state.topics[topic]))],
    }


def _partition(state: ClusterState, partition: TopicPartition) -> dict[str, Any]:
    broker = state.broker_of(partition)
    log = broker.logs[partition]
    return {
        "partition": partition.partition,
        "broker": broker.broker,
        "first_offset": log.first_offset,
        "flushed_offset": log.flushed_offset,
        "next_offset": log.next_offset,
        "segments": [
            {"file": segment.file, "base_offset": segment.base_offset, "bytes": segment.bytes}
            for segment in log.segments
        ],
        "message_offsets": [entry[0] for entry in state.message_indexes[partition].recent],
    }


def _group(state: ClusterState, name: GroupId, group: Group) -> dict[str, Any]:
    partitions = [partition for partition in state.all_partitions() if partition.topic in group.topics]
    return {
        "group": name,
        "consumers": [
            {
                "consumer": consumer_name,
                "alive": consumer.state.state not in ENDED_STATES,
                "state": consumer.state.state,
                "owns": [
                    str(partition) for partition in partitions if owner_of(state, name, partition) == consumer_name
                ],
            }
            for consumer_name, consumer in group.consumers.items()
        ],
        "partitions": [_position(state, name, partition) for partition in partitions],
    }


def _position(state: ClusterState, group: GroupId, partition: TopicPartition) -> dict[str, Any]:
    broker = state.broker_of(partition)
    log = broker.logs[partition]
    committed = committed_offset(state, group, partition)
    bookmark = state.bookmarks[group, partition]
    fetch_offset = committed
    puller = state.pulling.get((group, partition))
    if puller is not None:
        fetch_offset = state.groups[group].consumers[puller].fetchers[partition].fetch_offset
    return {
        "topic": partition.topic,
        "partition": partition.partition,
        "owner": owner_of(state, group, partition),
        "committed_offset": committed,
        "fetch_offset": fetch_offset,
        "lag_bytes": log.next_offset - bookmark.offset,
        "lag_messages": state.message_indexes[partition].messages - bookmark.messages_before,
        "lag_us": state.scheduler.now_us - bookmark.waiting_since_us if bookmark.offset < log.next_offset else 0,
    }


def owner_of(state: ClusterState, group: GroupId, partition: TopicPartition) -> str:
    """The consumer that the registry names as a partition's owner; "" if there is none."""
    path = paths.owner(group, partition, state.topics[partition.topic][partition.partition])
    return paths.stream_consumer(state.registry_of_group(group).value(path, paths.stream(NOBODY)))


def committed_offset(state: ClusterState, group: GroupId, partition: TopicPartition) -> int:
    """A group's bookmark in a partition; the log's first offset while the registry has none."""
    path = paths.offset(group, partition, state.topics[partition.topic][partition.partition])
    first_offset = state.broker_of(partition).logs[partition].first_offset
    return int(state.registry_of_group(group).value(path, str(first_offset)))


def registry_tree(state: ClusterState) -> dict[str, Any]:
    """The registry as nested nodes: path, value, the client that holds it, who watches its children, children."""
    root, *others = [_tree_node(registry, "") for registry in state.registries]
    root["children"] += others
    return root


def _tree_node(registry: RegistryServer, path: str) -> dict[str, Any]:
    tree = registry.tree
    node = tree.get(path) if path else None
    return {
        "path": registry.chroot + path or "/",
        "value": node.value if node else "",
        "client": registry.client_of(node.session) if node else "",
        "watchers": [registry.client_of(session) for session in tree.watchers(path)],
        "children": [_tree_node(registry, f"{path}/{name}") for name in tree.children(path)],
    }
