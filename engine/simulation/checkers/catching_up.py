"""The checker of recovery: after all faults have ended every group catches up, unless the history excuses it.

Excused is exactly this:

- a group without a running consumer, in all of its partitions;
- the partitions without an owner in a group with a ``failed`` consumer: after its last attempt it owns nothing
  until the registry changes (0.7: ZookeeperConsumerConnector.syncedRebalance);
- what a paused consumer has not consumed;
- what comes after a position with an error, if the bytes that the consumer received there justify the error
  (:mod:`engine.simulation.checkers.rejections`);
- what is consumed and not committed, by a consumer that commits only by command (``commit_interval_ms`` 0).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.simulation.checkers.rejections import Rejections
from engine.simulation.history import Anomalies, Anomaly, History, partition_of

SETTLED_STATES = frozenset({"running", "idle", "failed"})
BEGINNING = "0"
Facts = Mapping[str, Any]


def everything_catches_up(history: History) -> Anomalies:
    """Find ``not-caught-up``: a stopped broker, an unflushed log, a warehouse that lags, a partition without an owner.

    ``stranded``: a consumer does not complete a rebalance, or owns a partition, is running and does not advance.
    """
    yield from _storage(history)
    rejections = Rejections(history)
    for group in history.facts["groups"]:
        running = [consumer for consumer in group["consumers"] if consumer["alive"]]
        for consumer in running:
            if consumer["state"] not in SETTLED_STATES:
                yield Anomaly("stranded", f"{group['group']}/{consumer['consumer']} is still {consumer['state']}")
        for place in group["partitions"] if running else ():
            yield from _partition(history, rejections, group, place)


def _storage(history: History) -> Anomalies:
    """Check brokers and the warehouse, for which there is no excuse."""
    for broker in history.facts["brokers"]:
        if not broker["alive"]:
            yield Anomaly("not-caught-up", f"broker {broker['broker']} is not running")
    for name, log in history.state["partitions"].items():
        if log["flushed_offset"] != log["next_offset"]:
            yield Anomaly("not-caught-up", f"{name} is flushed up to {log['flushed_offset']} of {log['next_offset']}")
    for loader in history.facts.get("deployment", {}).get("loaders", ()):
        for place in loader["partitions"]:
            if place["next_offset"] != history.state["partitions"][partition_of(place)]["next_offset"]:
                yield Anomaly("not-caught-up", f"the warehouse has {partition_of(place)} up to {place['next_offset']}")


def _partition(history: History, rejections: Rejections, group: Facts, place: Facts) -> Anomalies:
    partition = partition_of(place)
    name = f"{group['group']}: {partition}"
    owner = place["owner"]
    if not owner:
        if not any(consumer["state"] == "failed" for consumer in group["consumers"]):
            yield Anomaly("not-caught-up", f"{name} has no owner")
        return
    position = history.state["positions"].get(f"{group['group']}/{partition}")
    if position is None or position["consumer"] != owner:
        yield Anomaly("stranded", f"{name} belongs to {owner}, which does not fetch it")
        return
    consumer = history.state["consumers"][f"{group['group']}/{owner}"]
    for sentence in _behind(history, rejections, consumer, partition, position):
        yield Anomaly("stranded", f"{name}, of {owner}: {sentence}")


def _behind(
    history: History, rejections: Rejections, consumer: Facts, partition: str, position: Facts
) -> Iterator[str]:
    """Yield what the owner of a partition has not fetched, consumed or committed without an excuse."""
    fetched, consumed = position["fetch_offset"], position["consumed_offset"]
    next_offset = history.state["partitions"][partition]["next_offset"]
    if position["error"]:
        unjustified = rejections.unjustified(consumer, partition, position)
        if unjustified:
            yield f"it rejects what is at {fetched} ({position['error']}), but {unjustified}"
    elif fetched != next_offset and not consumer["paused"]:
        yield f"it has fetched up to {fetched} of {next_offset}"
    if consumed != fetched and not consumer["paused"]:
        yield f"it has consumed up to {consumed} of the {fetched} that it has fetched"
    committed = _committed(history, consumer["group"], partition)
    if committed != consumed and consumer["settings"]["commit_interval_ms"]:
        yield f"it has committed up to {committed} of the {consumed} that it has consumed"


def _committed(history: History, group: str, partition: str) -> int:
    """Return the registry's committed offset, 0 if none: a consumer that begins at offset 0 does not commit it."""
    where = history.state["partitions"][partition]
    path = f"/consumers/{group}/offsets/{where['topic']}/{where['broker']}-{where['partition']}"
    value, _ = history.state["registry"].get(path, (BEGINNING, ""))
    return int(value)
