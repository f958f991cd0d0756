"""Journals of random commands, full of checkpoints, for tests that fold events and compare."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from engine.config import TINY, Config
from engine.errors import OffsetscopeError
from engine.ids import BrokerId, TopicPartition
from engine.registry import paths
from engine.scenarios import MIRROR
from tests.support.clusters import GROUP, Stage, payloads
from tests.support.deployments import SMALL, Deployed

Act = tuple[str, dict[str, Any]]
Event = dict[str, Any]

NAMES = "abcde"
PARTITIONS = 4


def _with_short_retention(config: Config) -> Config:
    """Return a config with many checkpoints, and with logs that soon delete old segments."""
    return replace(
        config,
        checkpoint_every_bytes=2_000,
        segment_bytes=600,
        retention_bytes=1_800,
        retention_check_interval_us=20_000,
    )


def journal_of_a_cluster(directory: Path, seed: int, acts: int = 200) -> list[Event]:
    """Return the events of a cluster to which random commands of every kind are given."""
    stage = Stage(directory, _with_short_retention(TINY), seed=seed).with_topic(PARTITIONS).with_group("a", "b", "c")
    stage.do("set_producer", rate_per_second=150)
    chance = Random(seed)
    for number in range(acts):
        _try(stage, chance.choice(_acts_on_a_cluster(chance, number)), chance)
    _cause_rare_events(stage)
    return _events_of(stage)


def _cause_rare_events(stage: Stage) -> None:
    """Cause fetches too small for a message, disk damage, bytes lost in a crash, and a claim that is always refused."""
    stage.do("heal_links")
    stage.do("set_producer", sending="sync", acknowledgement="none")
    for broker in (1, 2, 3):
        stage.do("set_disk", broker=broker)
        if not stage.cluster.state.brokers[BrokerId(broker)].alive:
            stage.do("start_broker", broker=broker)
    stage.run_ms(200)
    narrow = {"group": "narrow", "consumer": "N"}
    stage.do("add_group", group="narrow")
    stage.do("add_consumer", **narrow)
    stage.do("set_consumer", **narrow, fetch_bytes=5)
    stage.run_ms(200)
    stage.do("set_consumer", **narrow, fetch_bytes=5_000)
    stage.run_ms(50)
    for number in range(PARTITIONS):
        stage.do("corrupt", topic="clicks", partition=number, offset=stage.partition(number)["first_offset"])
        stage.do("produce", topic="clicks", records=[{"value": "unflushed"}])
    stage.run_ms(2)
    stage.do("crash_broker", broker=1)
    stranger = paths.owner(GROUP, TopicPartition("clicks", 1), BrokerId(2))
    stage.cluster.state.registry.tree.delete(stranger)
    stage.cluster.state.registry.put_by_operator(stranger, "stranger-0")
    stage.do("add_consumer", group=GROUP, consumer="last")
    stage.run_ms(1_000)


def journal_of_a_deployment(directory: Path, seed: int, acts: int = 150) -> list[Event]:
    """Return the events of a deployment pattern to which random commands of every kind are given."""
    deployed = Deployed(directory, _with_short_retention(SMALL), seed, mirrors=("A", "B"))
    chance = Random(seed)
    for _ in range(acts):
        _try(deployed, chance.choice(_acts_on_a_deployment(chance)), chance)
    return _events_of(deployed)


def _try(stage: Stage, act: Act, chance: Random) -> None:
    command, fields = act
    try:
        stage.do(command, **fields)
    except OffsetscopeError:
        pass  # not possible just now
    finally:
        stage.run_ms(chance.choice([1, 3, 20, 80]))
        stage.cluster.publish()


def _events_of(stage: Stage) -> list[Event]:
    stage.do("add_group", group="the last group")  # a checkpoint has the time of an event
    stage.cluster.write_checkpoint("end")
    stage.cluster.publish()
    events = [json.loads(payload) for payload in payloads(stage.journal)]
    stage.cluster.close()
    stage.journal.close()
    return events


def _acts_on_a_cluster(chance: Random, number: int) -> Sequence[Act]:
    name, partition = chance.choice(NAMES), chance.randrange(PARTITIONS)
    member: dict[str, Any] = {"group": GROUP, "consumer": name}
    link = {
        "from": chance.choice(["producer", f"consumer:{GROUP}/{name}", "broker:2"]),
        "to": chance.choice(["registry", "broker:1", "broker:3"]),
    }
    return [
        ("produce", {"count": chance.randint(1, 9)}),
        ("produce", {"records": [{"key": f"key {number % 7}", "value": "\u00e9 <b>&amp;"}]}),
        ("set_producer", {"compression": chance.choice(["none", "gzip"]), "rate_per_second": 150}),
        ("set_producer", {"acknowledgement": chance.choice(["none", "broker"]), "retries": 2, "rate_per_second": 150}),
        ("set_producer", {"sending": "async", "queue_messages": 5, "queue_full": "block", "rate_per_second": 150}),
        ("add_consumer", member),
        ("add_consumer", member),
        ("stop_consumer", member),
        ("crash_consumer", member),
        ("remove_consumer", member),
        ("pause_consumer", member),
        ("resume_consumer", member),
        ("resume_consumer", member),
        ("set_consumer", {**member, "messages_per_second": chance.choice([5, 1000])}),
        ("set_consumer", {**member, "position_moves": chance.choice(["before", "after"])}),
        ("seek", {"group": GROUP, "partition": partition, "offset": chance.choice(["earliest", "latest"])}),
        ("commit", {"group": GROUP}),
        ("crash_broker", {"broker": chance.randint(1, 3)}),
        ("stop_broker", {"broker": chance.randint(1, 3)}),
        *[("start_broker", {"broker": broker}) for broker in (1, 2, 3)],
        ("add_group", {"group": f"group {number}"}),
        ("add_topic", {"topic": f"topic-{number}", "partitions": 2}),
        ("add_broker", {}),
        ("set_link", {**link, "cut": True}),
        ("set_link", {**link, "loss_percent": 40}),
        ("set_link", {**link, "delay_ms": chance.choice([15, 90])}),
        ("heal_links", {}),
        ("heal_links", {}),
        ("set_disk", {"broker": chance.randint(1, 3), "delay_ms": 12}),
        ("set_disk", {"broker": chance.randint(1, 3), "full": chance.random() < 0.3}),
        ("freeze_consumer", {**member, "duration_ms": chance.choice([10, 150])}),
        ("expire_session", {"client": f"consumer:{GROUP}/{name}"}),
    ]


def _acts_on_a_deployment(chance: Random) -> Sequence[Act]:
    mirror: dict[str, Any] = {"group": MIRROR, "consumer": chance.choice("AB")}
    broker = chance.choice([2, 11, 12])
    return [
        ("produce", {"topic": "pageviews", "count": chance.randint(1, 9)}),
        ("produce", {"topic": "pageviews", "count": chance.randint(1, 9)}),
        ("crash_loader", {}),
        ("start_loader", {}),
        ("crash_consumer", mirror),
        ("stop_consumer", mirror),
        ("add_consumer", mirror),
        ("add_consumer", mirror),
        ("freeze_consumer", {**mirror, "duration_ms": chance.choice([10, 150])}),
        ("set_mirror", {"acknowledgement": chance.choice(["none", "broker"])}),
        ("crash_broker", {"broker": broker}),
        ("start_broker", {"broker": broker}),
        ("start_broker", {"broker": broker}),
        ("set_disk", {"broker": 11, "delay_ms": chance.choice([0, 12])}),
        ("add_group", {"group": f"group {chance.randrange(9)}", "topic": "live.pageviews"}),
        ("set_link", {"from": "loader:Loader", "to": "broker:12", "loss_percent": 50}),
        ("set_link", {"from": "auditor:live", "to": "broker:1", "delay_ms": 50}),
        ("set_link", {"from": "mirror:Mirror/A", "to": "broker:13", "cut": True}),
        ("set_link", {"from": "mirror:Mirror/B", "to": "broker:11", "delay_ms": 60}),
        ("heal_links", {}),
        ("expire_session", {"client": "mirror:Mirror/A"}),
        ("expire_session", {"client": "broker:12"}),
    ]


def event_names_before_the_last_checkpoint(events: Sequence[Event]) -> Iterator[str]:
    """Yield the names of the events before the last checkpoint, whose outcome is compared when they are folded."""
    last = max(index for index, event in enumerate(events) if event["event"] == "checkpoint")
    return (event["event"] for event in events[:last])
