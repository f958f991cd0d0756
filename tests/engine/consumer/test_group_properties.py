"""A consumer group against a plain model: after any joins, departures, crashes and lost sessions, shares are right.

The model knows the running members and how many streams each has. In quiet, every partition has exactly one owner, and
it is the one that range assignment names: streams in the order of their ids, partitions by broker and number, the
first streams getting one more where they do not divide evenly (case 45).
"""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.commands import apply, parse_command
from tests.support.clusters import GROUP, Stage

NAMES = ["A", "B", "C", "D", "E"]
QUIET_MS = 600
FEW_MS = st.sampled_from([0, 1, 3, 10, 40])


def shares(streams: list[str], partitions: list[str]) -> dict[str, str]:
    """Map partitions to streams, by the rule in the docstring above."""
    each, more = divmod(len(partitions), len(streams))
    owners = {}
    start = 0
    for index, stream in enumerate(sorted(streams)):
        count = each + (index < more)
        owners.update(dict.fromkeys(partitions[start : start + count], stream))
        start += count
    return owners


class GroupMachine(RuleBasedStateMachine):
    """Members join, leave, crash, freeze and lose their sessions; brokers go and come back."""

    @initialize(partitions=st.integers(1, 7), brokers=st.integers(1, 3))
    def begin(self, partitions: int, brokers: int) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="group-model-"))
        self.stage = Stage(self.root, brokers=brokers).with_topic(partitions)
        self.stage.do("add_group", group=GROUP)
        placed = [(1 + number % brokers, number) for number in range(partitions)]
        self.partitions = {broker: [] for broker in range(1, brokers + 1)}
        for broker, number in sorted(placed):
            self.partitions[broker].append(f"{broker}-{number}")
        self.down: set[int] = set()
        self.alive: dict[str, int] = {}

    def teardown(self) -> None:
        if hasattr(self, "root"):
            self.settle()
            self.stage.cluster.close()
            self.stage.journal.close()
            shutil.rmtree(self.root)

    def give(self, command: str, wait_ms: float, **fields: object) -> None:
        apply(self.stage.cluster, parse_command({"command": command, **fields}))
        self.stage.run_ms(wait_ms)

    @rule(data=st.data(), streams=st.integers(1, 3), wait_ms=FEW_MS)
    def join(self, data: st.DataObject, streams: int, wait_ms: int) -> None:
        free = [name for name in NAMES if name not in self.alive and not self.is_closing(name)]
        if free:
            name = data.draw(st.sampled_from(free))
            self.give("add_consumer", wait_ms, group=GROUP, consumer=name, streams=streams)
            self.alive[name] = streams

    def is_closing(self, name: str) -> bool:
        known = self.stage.cluster.state.groups[GROUP].consumers
        return name in known and known[name].state.name == "closing"

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), wait_ms=FEW_MS, verb=st.sampled_from(["stop_consumer", "crash_consumer"]))
    def leave_or_crash(self, data: st.DataObject, wait_ms: int, verb: str) -> None:
        awake = [name for name in self.alive if verb == "crash_consumer" or not self.is_frozen(name)]
        if awake:
            name = data.draw(st.sampled_from(sorted(awake)))
            self.give(verb, wait_ms, group=GROUP, consumer=name)
            del self.alive[name]

    def is_frozen(self, name: str) -> bool:
        return self.stage.consumer(name).frozen_until_us > self.stage.cluster.now_us

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), wait_ms=FEW_MS)
    def lose_the_session(self, data: st.DataObject, wait_ms: int) -> None:
        client = f"consumer:{GROUP}/{data.draw(st.sampled_from(sorted(self.alive)))}"
        if self.stage.cluster.state.registry.has_session(client):
            self.give("expire_session", wait_ms, client=client)

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), duration_ms=st.sampled_from([1, 20, 90]), wait_ms=FEW_MS)
    def freeze(self, data: st.DataObject, duration_ms: int, wait_ms: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.alive)))
        self.give("freeze_consumer", wait_ms, group=GROUP, consumer=name, duration_ms=duration_ms)

    @rule(data=st.data(), wait_ms=FEW_MS, verb=st.sampled_from(["stop_broker", "crash_broker"]))
    def a_broker_goes(self, data: st.DataObject, wait_ms: int, verb: str) -> None:
        up = sorted(set(self.partitions) - self.down)
        if up:
            broker = data.draw(st.sampled_from(up))
            self.give(verb, wait_ms, broker=broker)
            self.down.add(broker)

    @precondition(lambda self: self.down)
    @rule(data=st.data(), wait_ms=FEW_MS)
    def a_broker_comes_back(self, data: st.DataObject, wait_ms: int) -> None:
        broker = data.draw(st.sampled_from(sorted(self.down)))
        self.give("start_broker", wait_ms, broker=broker)
        self.down.discard(broker)

    @rule()
    def settle(self) -> None:
        """Wait until nothing happens; the registry and the fetchers must then agree with the model."""
        self.stage.run_ms(QUIET_MS)
        for name in [name for name in self.alive if self.stage.consumer(name).state.name == "failed"]:
            self.give("crash_consumer", 0, group=GROUP, consumer=name)  # it reports its failure: restart it
            self.give("add_consumer", 0, group=GROUP, consumer=name)
        self.stage.run_ms(QUIET_MS)
        known = [one for broker, held in self.partitions.items() if broker not in self.down for one in held]
        streams = [f"{name}-{number}" for name, count in self.alive.items() for number in range(count)]
        expected = shares(streams, known) if streams else {}
        tree = self.stage.cluster.state.registry.tree
        prefix = f"/consumers/{GROUP}/owners/clicks/"
        assert {path.removeprefix(prefix): node.value for path, node in tree if path.startswith(prefix)} == expected
        pulled = {
            f"{fetcher.broker}-{partition.partition}": stream.name
            for consumer in self.stage.cluster.state.groups[GROUP].consumers.values()
            for stream in consumer.streams
            for fetcher in stream.fetchers
            for partition in [fetcher.partition]
        }
        assert pulled == expected

    @invariant()
    def no_rule_is_broken(self) -> None:
        if hasattr(self, "stage"):
            assert self.stage.cluster.check() == []


TestGroupAgainstModel = GroupMachine.TestCase
TestGroupAgainstModel.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
