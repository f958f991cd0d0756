"""The facts about a cluster for programs: the engine's part of ``GET /api/rooms/<room>``.

Facts are a projection of the snapshot, so that the two can never disagree.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.consumer.consumer import ENDED_STATES
from engine.ids import BrokerId, GroupId, TopicPartition
from engine.registry import paths
from engine.storage.segment import segment_name

NO_CLIENT = ""

State = Mapping[str, Any]
"""A snapshot, or the state folded from a journal (docs/journal.md, "The state")."""


def facts(state: State) -> dict[str, Any]:
    """Return topics, brokers and groups as JSON values. Offsets and sizes are in bytes; an owner "" means none."""
    return {
        "topics": [_topic(state, name) for name in state["topics"]],
        "brokers": [{"broker": int(number), "alive": one["alive"]} for number, one in state["brokers"].items()],
        "groups": [_group(state, name) for name in state["groups"]],
        **_deployment(state),
    }


def _topic(state: State, name: str) -> dict[str, Any]:
    topic = state["topics"][name]
    return {
        "topic": name,
        "events_appended": topic["events_appended"],
        "next_append_partition": topic["next_append_partition"],
        "partitions": [_partition(state["partitions"][str(one)]) for one in _partitions_of(state, name)],
    }


def _partitions_of(state: State, topic: str) -> Iterator[TopicPartition]:
    return (TopicPartition(topic, number) for number in range(len(state["topics"][topic]["brokers"])))


def _partition(partition: State) -> dict[str, Any]:
    return {
        "partition": partition["partition"],
        "broker": partition["broker"],
        "first_offset": partition["first_offset"],
        "flushed_offset": partition["flushed_offset"],
        "next_offset": partition["next_offset"],
        "segments": [
            {"file": segment_name(base_offset), "base_offset": base_offset, "bytes": size_bytes}
            for base_offset, size_bytes in partition["segments"]
        ],
        "message_offsets": [entry[0] for entry in partition["entries"]],
    }


def _group(state: State, name: str) -> dict[str, Any]:
    topics = state["groups"][name]["topics"]
    partitions = [one for topic in state["topics"] if topic in topics for one in _partitions_of(state, topic)]
    positions = [_position(state, name, partition) for partition in partitions]
    return {
        "group": name,
        "consumers": [_consumer(state, name, consumer, positions) for consumer in state["groups"][name]["consumers"]],
        "partitions": positions,
    }


def _consumer(state: State, group: str, name: str, positions: list[dict[str, Any]]) -> dict[str, Any]:
    consumer_state = state["consumers"][f"{group}/{name}"]["state"]
    return {
        "consumer": name,
        "alive": consumer_state not in ENDED_STATES,
        "state": consumer_state,
        "owns": [f"{one['topic']}-{one['partition']}" for one in positions if one["owner"] == name],
    }


def _position(state: State, group: str, name: TopicPartition) -> dict[str, Any]:
    """A group's position in a partition; its committed offset is the first offset while the registry has none."""
    partition = state["partitions"][str(name)]
    broker = BrokerId(partition["broker"])
    chroot = _chroot_of(state, broker)
    owner = _value(state, chroot + paths.owner(GroupId(group), name, broker), paths.stream(NO_CLIENT))
    committed = _value(state, chroot + paths.offset(GroupId(group), name, broker), str(partition["first_offset"]))
    position = state["positions"].get(f"{group}/{name}", {"fetch_offset": int(committed), "error": ""})
    committed_position = state["bookmarks"][f"{group}/{name}"]
    is_behind = committed_position["offset"] < partition["next_offset"]
    return {
        "topic": name.topic,
        "partition": name.partition,
        "owner": paths.stream_consumer(owner),
        "committed_offset": int(committed),
        "fetch_offset": position["fetch_offset"],
        "error": position["error"],
        "lag_bytes": partition["next_offset"] - committed_position["offset"],
        "lag_messages": partition["messages"] - committed_position["messages_before"],
        "lag_us": state["at_us"] - committed_position["waiting_since_us"] if is_behind else 0,
    }


def _value(state: State, path: str, default: str) -> str:
    """The value of a registry node, or ``default`` where there is no node."""
    value, _ = state["registry"].get(path, (default, NO_CLIENT))
    return str(value)


def _chroot_of(state: State, broker: BrokerId) -> str:
    """The path below which the journal reports the registry of a broker's datacenter; "" for the live one."""
    datacenters = state.get("deployment", {}).get("datacenters", {})
    return next((str(one["chroot"]) for one in datacenters.values() if broker in one["brokers"]), "")


def _deployment(state: State) -> dict[str, Any]:
    """The deployment, times in microseconds; no key at all where there is only a live datacenter."""
    if "deployment" not in state:
        return {}
    deployment = state["deployment"]
    return {
        "deployment": {
            "datacenters": [
                {"datacenter": name, "registry": one["registry"], "brokers": one["brokers"]}
                for name, one in deployment["datacenters"].items()
            ],
            "mirrors": [
                {
                    "group": group,
                    "copies": dict(one["routes"]),
                    "acknowledgement": one["acknowledgement"],
                    "messages_mirrored": one["messages"],
                }
                for group, one in deployment["mirrors"].items()
            ],
            "loaders": [_loader(name, one) for name, one in deployment["loaders"].items()],
            "audit": [_count(*row) for row in deployment["audit"]],
            "latency": [dict(zip(LATENCY_FIELDS, row, strict=True)) for row in deployment["latency"]],
        }
    }


LATENCY_FIELDS = ("topic", "window_start_us", "window_end_us", "messages", "average_us", "percentile_95_us")


def _loader(name: str, loader: State) -> dict[str, Any]:
    places = [(TopicPartition.parse(one), offset) for one, offset in loader["next_offsets"].items()]
    return {
        "loader": name,
        "state": loader["state"],
        "rows": loader["rows"],
        "partitions": [
            {"topic": place.topic, "partition": place.partition, "next_offset": offset} for place, offset in places
        ],
    }


def _count(
    tier: str, topic: str, window_start_us: int, window_end_us: int, produced: int, received: int
) -> dict[str, Any]:
    return {
        "tier": tier,
        "topic": topic,
        "window_start_us": window_start_us,
        "window_end_us": window_end_us,
        "produced": produced,
        "received": received,
        "lost": max(0, produced - received),
        "duplicated": max(0, received - produced),
    }
