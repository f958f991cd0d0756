"""The deployment pattern around a simulated cluster: mirrors, a loader, auditors, and the operations on them."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from engine.cluster.cluster import Cluster
from engine.cluster.deployment import LIVE
from engine.ids import BrokerId, ConsumerId, GroupId
from engine.pipeline.loader import Sources
from engine.simulation.history import Loaded, Row

TOPIC = "clicks"
COPY = "live.clicks"
MONITORING = "audit"
MONITORING_COPY = "live.audit"
COPIES = {TOPIC: COPY, MONITORING: MONITORING_COPY}
ANALYSIS = "analysis"
MIRRORS = GroupId("mirrors")
LOADER = "loader"
FIRST_ANALYSIS_BROKER = 11


def add_deployment(cluster: Cluster, chance: Random, live_brokers: int) -> None:
    """Build the deployment pattern around the live datacenter, whose topic exists already; mirrors start at once."""
    deployer = cluster.deployer
    deployer.add_datacenter(ANALYSIS)
    brokers = [BrokerId(FIRST_ANALYSIS_BROKER + number) for number in range(chance.randint(1, 3))]
    for broker in brokers:
        cluster.add_broker(broker, ANALYSIS)
    cluster.add_topic(MONITORING, [BrokerId(chance.randint(1, live_brokers))])
    cluster.add_topic(COPY, [chance.choice(brokers) for _ in range(chance.randint(1, 4))])
    cluster.add_topic(MONITORING_COPY, brokers[:1])
    deployer.monitor_producer("frontend-1", MONITORING)
    cluster.add_group(MIRRORS, tuple(COPIES))
    deployer.make_mirrors(MIRRORS, COPIES)
    for name in "AB"[: chance.randint(1, 2)]:
        cluster.add_consumer(ConsumerId(MIRRORS, f"mirrors {name}"), cluster.state.config.consumer)
    analysis = Sources({COPY: TOPIC}, MONITORING_COPY)
    deployer.add_auditor(LIVE, Sources({TOPIC: TOPIC}, MONITORING))
    deployer.add_auditor(ANALYSIS, analysis)
    deployer.add_loader(LOADER, analysis).start()


def draw_deployment_operation(chance: Random, cluster: Cluster) -> Mapping[str, Any]:
    """Draw an operation or a fault of the deployment's own processes."""
    state = cluster.state
    loader = state.deployment.loaders[LOADER]
    mirrors = [f"mirror:{MIRRORS}/{name}" for name in state.groups[MIRRORS].consumers]
    readers = [f"loader:{LOADER}", f"auditor:{LIVE}", f"auditor:{ANALYSIS}"]
    analysis = [broker.address for broker in state.brokers.values() if broker.broker >= FIRST_ANALYSIS_BROKER]
    fault: dict[str, Any] = chance.choice(
        ({}, {"cut": True}, {"loss_percent": chance.choice((5, 30, 80))}, {"delay_ms": chance.choice((2, 10, 40, 90))})
    )
    one = chance.choice([*mirrors, *readers])
    other = f"registry:{ANALYSIS}" if one in mirrors and chance.random() < 0.3 else chance.choice(analysis)
    operations: list[dict[str, Any]] = [
        {"command": "start_loader" if not loader.alive else "crash_loader"},
        {"command": "set_mirror", "acknowledgement": chance.choice(("none", "broker"))},
        {"command": "set_link", "from": one, "to": other, **fault},
        {"command": "set_link", "from": one, "to": other, **fault},
        {"command": "expire_session", "client": chance.choice([*mirrors, *analysis])},
    ]
    return chance.choice(operations)


def read_warehouse(path: Path) -> Loaded:
    """Read the contents of the warehouse's file over a separate connection."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT partition, offset, payload FROM messages ORDER BY rowid").fetchall()
        next_offsets = connection.execute("SELECT topic, partition, next_offset FROM committed_offsets").fetchall()
    return Loaded(
        tuple(Row(f"{COPY}-{partition}", offset, payload) for partition, offset, payload in rows),
        {f"{topic}-{partition}": next_offset for topic, partition, next_offset in next_offsets},
    )
