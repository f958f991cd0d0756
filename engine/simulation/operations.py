"""The operations of a schedule: commands drawn by weight, most of which the cluster can execute.

They are the commands that people give (see :mod:`engine.commands`), so a person can do whatever a schedule does.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from engine.cluster.cluster import Cluster
from engine.consumer.consumer import Consumer
from engine.registry.server import ADDRESS as REGISTRY

TOPIC = "clicks"
Fields = Mapping[str, Any]
Draw = Callable[[Random, Cluster], Fields]


STORAGE_FAULTS: tuple[Fields, ...] = ({"fails": "append"}, {"fails": "flush"}, {"fails": "read"})
"""A write that ends in the middle, an fsync that fails, segments that cannot be read."""


def draw_operation(chance: Random, cluster: Cluster, *, bytes_flip: bool) -> Fields:
    """Draw the next command of a schedule."""
    draws = [draw for draw in OPERATIONS if bytes_flip or draw is not _corrupt]
    (draw,) = chance.choices(draws, [OPERATIONS[draw] for draw in draws])
    return draw(chance, cluster)


# --- producing ------------------------------------------------------------------------------------------------------


def _produce(chance: Random, cluster: Cluster) -> Fields:
    return {
        "command": "produce",
        "topic": TOPIC,
        "count": chance.randint(1, 8),
        "size": chance.choice((1, 20, 60, 150)),
    }


def _produce_keyed(chance: Random, cluster: Cluster) -> Fields:
    value = "v" * chance.randrange(80)
    return {"command": "produce", "topic": TOPIC, "key": f"user-{chance.randrange(9)}", "value": value}


def _set_producer(chance: Random, cluster: Cluster) -> Fields:
    changes: dict[str, Any] = {
        "rate_per_second": chance.choice((0, 40, 150)),
        "batch_messages": chance.randint(1, 6),
        "linger_ms": chance.choice((0, 5, 20)),
        "compression": chance.choice(("none", "gzip")),
        "partitioner": chance.choice(("round_robin", "random")),
        "keys": chance.choice((0, 5)),
        "sending": chance.choice(("sync", "async")),
        "queue_messages": chance.choice((5, 100)),
        "queue_full": chance.choice(("fail", "block", "wait")),
        "queue_wait_ms": chance.choice((0, 10)),
        "acknowledgement": chance.choice(("none", "broker")),
        "retries": chance.choice((0, 1, 3)),
    }
    names = chance.sample(sorted(changes), chance.randint(1, 3))
    return {"command": "set_producer", "topic": TOPIC, **{name: changes[name] for name in names}}


# --- brokers --------------------------------------------------------------------------------------------------------


def _broker_number(chance: Random, cluster: Cluster) -> int:
    return chance.choice(list(cluster.state.brokers))


def _crash_or_stop_broker(chance: Random, cluster: Cluster) -> Fields:
    return {"command": chance.choice(("crash_broker", "stop_broker")), "broker": _broker_number(chance, cluster)}


def _start_broker(chance: Random, cluster: Cluster) -> Fields:
    down = [number for number, broker in cluster.state.brokers.items() if not broker.alive]
    return {"command": "start_broker", "broker": chance.choice(down) if down else _broker_number(chance, cluster)}


def _set_disk(chance: Random, cluster: Cluster) -> Fields:
    slow: Fields = {"delay_ms": chance.choice((3, 30))}
    fault: Fields = chance.choice(({}, slow, {"delay_ms": 5}, {"full": True}, *STORAGE_FAULTS))
    return {"command": "set_disk", "broker": _broker_number(chance, cluster), **fault}


def _corrupt(chance: Random, cluster: Cluster) -> Fields:
    partition = chance.choice([one for one in cluster.state.all_partitions() if one.topic == TOPIC])
    entries = cluster.state.message_indexes[partition].recent
    offset = chance.choice(entries)[0] if entries else 0
    return {"command": "corrupt", "topic": TOPIC, "partition": partition.partition, "offset": offset}


# --- consumers ------------------------------------------------------------------------------------------------------


def _group(chance: Random, cluster: Cluster) -> str:
    return chance.choice(list(cluster.state.groups))


def _one_of(consumers: list[Consumer], chance: Random) -> Fields:
    consumer = chance.choice(consumers).consumer
    return {"group": consumer.group, "consumer": consumer.name}


def _consumer(chance: Random, cluster: Cluster) -> Fields:
    """Draw any consumer; where all have been removed, a name that no consumer has."""
    consumers = cluster.state.all_consumers()
    return _one_of(consumers, chance) if consumers else {"group": _group(chance, cluster), "consumer": "unknown"}


def _add_consumer(chance: Random, cluster: Cluster) -> Fields:
    streams = {"streams": chance.randint(1, 3)} if chance.random() < 0.3 else {}
    return {"command": "add_consumer", "group": _group(chance, cluster), **streams}


def _return_consumer(chance: Random, cluster: Cluster) -> Fields:
    return {"command": "add_consumer", **_consumer(chance, cluster)}


def _end_consumer(chance: Random, cluster: Cluster) -> Fields:
    verb = chance.choice(("crash_consumer", "crash_consumer", "stop_consumer", "stop_consumer", "remove_consumer"))
    return {"command": verb, **_consumer(chance, cluster)}


def _pause_or_resume(chance: Random, cluster: Cluster) -> Fields:
    paused = [one for one in cluster.state.all_consumers() if one.paused]
    if paused and chance.random() < 0.6:
        return {"command": "resume_consumer", **_one_of(paused, chance)}
    return {"command": "pause_consumer", **_consumer(chance, cluster)}


def _freeze(chance: Random, cluster: Cluster) -> Fields:
    duration_ms = chance.choice((2, 15, 50, 150))
    return {"command": "freeze_consumer", **_consumer(chance, cluster), "duration_ms": duration_ms}


def _set_consumer(chance: Random, cluster: Cluster) -> Fields:
    changes: dict[str, Any] = {
        "poll_interval_ms": chance.choice((5, 10, 40)),
        "fetch_bytes": chance.choice((50, 200, 1_000, 4_000)),
        "queued_chunks": chance.randint(1, 3),
        "messages_per_second": chance.choice((50, 500, 2_000)),
        "commit_interval_ms": chance.choice((0, 10, 25, 60)),
        "position_moves": chance.choice(("after", "before")),
        "offset_reset": chance.choice(("smallest", "largest", "fail")),
    }
    names = chance.sample(sorted(changes), chance.randint(1, 3))
    return {"command": "set_consumer", **_consumer(chance, cluster), **{name: changes[name] for name in names}}


def _commit(chance: Random, cluster: Cluster) -> Fields:
    return {"command": "commit", "group": _group(chance, cluster)}


def _seek(chance: Random, cluster: Cluster) -> Fields:
    partition = chance.choice([one for one in cluster.state.all_partitions() if one.topic == TOPIC])
    entries = cluster.state.message_indexes[partition].recent
    where: Fields = chance.choice(
        (
            {"offset": "earliest"},
            {"offset": "latest"},
            {"offset": chance.choice(entries)[0] if entries else 0},
            {"time_us": chance.randint(0, cluster.now_us)},
        )
    )
    group = _group(chance, cluster)
    return {"command": "seek", "group": group, "topic": TOPIC, "partition": partition.partition, **where}


# --- wires ----------------------------------------------------------------------------------------------------------


def _set_link(chance: Random, cluster: Cluster) -> Fields:
    brokers = [broker.address for broker in cluster.state.brokers.values()]
    clients = ["producer", *(consumer.address for consumer in cluster.state.all_consumers())]
    one = chance.choice(clients if chance.random() < 0.8 else brokers)
    other = REGISTRY if one in brokers or chance.random() < 0.5 else chance.choice(brokers)
    faults: tuple[Fields, ...] = (
        {},
        {"cut": True},
        {"loss_percent": chance.choice((5, 30, 80))},
        {"delay_ms": chance.choice((2, 10, 40, 90))},
        {"loss_percent": 10, "delay_ms": 5},
    )
    return {"command": "set_link", "from": one, "to": other, **chance.choice(faults)}


def _clear_link_faults(chance: Random, cluster: Cluster) -> Fields:
    return {"command": "heal_links"}


def _expire_session(chance: Random, cluster: Cluster) -> Fields:
    state = cluster.state
    brokers = [broker.address for broker in state.brokers.values()]
    consumers = [consumer.address for consumer in state.all_consumers()]
    client = "producer" if chance.random() < 0.1 else chance.choice(brokers + consumers)
    return {"command": "expire_session", "client": client}


OPERATIONS: Mapping[Draw, int] = {
    _produce: 22,
    _produce_keyed: 4,
    _set_producer: 5,
    _crash_or_stop_broker: 6,
    _start_broker: 5,
    _set_disk: 3,
    _corrupt: 4,
    _add_consumer: 4,
    _return_consumer: 5,
    _end_consumer: 7,
    _pause_or_resume: 4,
    _freeze: 4,
    _set_consumer: 4,
    _commit: 3,
    _seek: 4,
    _set_link: 8,
    _clear_link_faults: 2,
    _expire_session: 3,
}
"""The weight of each kind of operation."""
