"""One run: a cluster built from the seed, a schedule of operations and faults, the recovery, and the history."""

import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from engine.cluster.cluster import Cluster
from engine.commands import apply, parse_command
from engine.errors import OffsetscopeError
from engine.ids import BrokerId, ConsumerId, GroupId
from engine.journal.journal import Journal
from engine.protocol.envelope import BatchLabel, FetchLabel, RequestEnvelope, ResponseEnvelope
from engine.protocol.requests import ProduceRequest
from engine.simulation.deployment import add_deployment, draw_deployment_operation, read_warehouse
from engine.simulation.history import FinalLog, History, Loaded, Operation
from engine.simulation.operations import TOPIC, draw_operation
from engine.simulation.recovery import recover
from engine.simulation.shape import Shape, draw_shape
from engine.storage.log import Log

READ_BYTES = 1 << 20
SHORT_PAUSE_US = 4_000
LONG_PAUSE_US = 150_000
DEPLOYMENT_OPERATIONS = 0.25
"""The share of operations on the deployment pattern's own processes, where there is one."""


class Run:
    """A cluster under simulation and the record of its run."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.chance = Random(f"simulation {seed}")
        self.shape: Shape = draw_shape(self.chance)
        self.operations: list[Operation] = []
        self.broken: list[tuple[int, str]] = []
        self._batches: dict[int, bytes] = {}
        self._answers: dict[int, bytes] = {}
        self._journal = Journal.open(directory / "journal")
        self._warehouse = directory / "cluster" / "warehouse-1.sqlite3"
        self.cluster = Cluster(
            scenario="simulation",
            directory=directory / "cluster",
            config=self.shape.config,
            seed=seed,
            journal=self._journal,
            start_us=0,
        )
        self.cluster.state.network.listen(self._record)

    def do(self, fields: Mapping[str, Any]) -> bool:
        """Apply a command and record it; return whether it was accepted."""
        refusal = ""
        try:
            apply(self.cluster, parse_command(fields))
        except OffsetscopeError as error:
            if not error.definite:
                raise
            refusal = error.code
        self.operations.append(Operation(self.cluster.now_us, fields, refusal))
        return not refusal

    def pass_time(self, duration_us: int) -> None:
        """Let virtual time pass."""
        self.cluster.run_until(self.cluster.now_us + duration_us)

    def check(self) -> None:
        """Record which invariants are broken now.

        Skipped where bytes flip: a recovery truncates the log there and leaves a committed offset beyond its end or,
        when the log has grown again, inside a message, until a consumer resets it (0.7 has no other remedy either).
        """
        if self.shape.bytes_flip:
            return
        self.broken += [(self.cluster.now_us, sentence) for sentence in self.cluster.check()]

    def build(self) -> None:
        """Build the cluster of the shape, running and with a first message in every partition."""
        shape, cluster = self.shape, self.cluster
        for number in range(1, shape.brokers + 1):
            cluster.add_broker(BrokerId(number))
        cluster.write_checkpoint("start")
        self.pass_time(SHORT_PAUSE_US)
        cluster.add_topic(TOPIC, [BrokerId(1 + number % shape.brokers) for number in range(shape.partitions)])
        for number, consumers in enumerate(shape.consumers):
            group = GroupId(f"group {number}")
            cluster.add_group(group, (TOPIC,))
            for index, streams in enumerate(consumers):
                name = ConsumerId(group, f"{group} {'ABCD'[index]}")
                cluster.add_consumer(name, shape.config.consumer, streams)
        if shape.has_deployment:
            add_deployment(cluster, self.chance, shape.brokers)
        for _ in range(shape.partitions):
            self.do({"command": "produce", "topic": TOPIC, "count": 1})
        self.pass_time(self.chance.choice((SHORT_PAUSE_US, LONG_PAUSE_US)))

    def run_schedule(self) -> None:
        """Apply the schedule: operations with pauses of various lengths between them."""
        for _ in range(self.shape.operations):
            self.do(self._draw())
            self.check()
            self.pass_time(self.chance.choice((0, 1_000, 5_000, 12_000, 30_000, 50_000)))

    def _draw(self) -> Mapping[str, Any]:
        if self.shape.has_deployment and self.chance.random() < DEPLOYMENT_OPERATIONS:
            return draw_deployment_operation(self.chance, self.cluster)
        return draw_operation(self.chance, self.cluster, bytes_flip=self.shape.bytes_flip)

    def history(self, recovery_us: int) -> History:
        """Return the history of the run, read from the journal and the files."""
        state, config = self.cluster.state, self.shape.config
        self.cluster.publish()
        return History(
            operations=self.operations,
            events=read_events(self._journal),
            batches=self._batches,
            answers=self._answers,
            logs={
                str(partition): _read_log(state.broker_of(partition).logs[partition])
                for partition in state.all_partitions()
            },
            loaded=read_warehouse(self._warehouse) if self.shape.has_deployment else Loaded(),
            state=self.cluster.snapshot(),
            facts=self.cluster.facts(),
            broken=self.broken,
            recovery_us=recovery_us,
            end_us=self.cluster.now_us,
            registry_hop_us=config.registry_latency_us * (1000 + config.latency_jitter_permille) // 1000,
        )

    def close(self) -> None:
        """Close the files."""
        self.cluster.close()
        self._journal.close()

    def _record(self, message: Any) -> None:
        match message:
            case RequestEnvelope(label=BatchLabel(batch=batch)):
                request = message.request
                assert isinstance(request, ProduceRequest)
                self._batches[batch] = request.message_set
            case ResponseEnvelope(answers=RequestEnvelope(label=FetchLabel(fetch=fetch))):
                self._answers[fetch] = message.response.body


def simulate(seed: int, directory: Path) -> History:
    """Run the cluster of ``seed`` in an empty ``directory``, from build to recovery, and return its history."""
    run = Run(seed, directory)
    try:
        run.build()
        run.run_schedule()
        recovery_us = run.cluster.now_us
        recover(run)
        run.check()
        return run.history(recovery_us)
    finally:
        run.close()


def read_events(journal: Journal) -> list[dict[str, Any]]:
    """Return every event of a journal, from its beginning."""
    events: list[dict[str, Any]] = []
    offset = 0
    while offset < journal.end_offset:
        chunk = journal.read(offset, READ_BYTES)
        events += [json.loads(payload) for payload in chunk.payloads]
        offset = chunk.next_offset
    return events


def _read_log(log: Log) -> FinalLog:
    content = b""
    while log.first_offset + len(content) < log.flushed_offset:
        content += log.read(log.first_offset + len(content), READ_BYTES)
    return FinalLog(log.first_offset, log.flushed_offset, log.next_offset, content)
