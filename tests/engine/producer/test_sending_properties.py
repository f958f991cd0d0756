"""The producer against a plain model: whatever is lost, whatever is set meanwhile, each key stays in order.

The model is the list of values that were sent for each key. The first appends of the values of a key are in the order
of sending. With acknowledgements, unlimited retries and an application that never stops waiting, they are all values.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from engine.config import TINY
from engine.errors import NoBrokerAvailable, QueueFull
from engine.ids import BrokerId
from engine.message.message_set import iterate_deep
from engine.producer.in_flight import UNLIMITED_RETRIES
from engine.protocol.envelope import RequestEnvelope
from engine.protocol.requests import ProduceRequest
from tests.support.clusters import Stage, with_producer

KEYS = ["a", "b"]
SOME_MS = st.sampled_from([0, 0, 1, 3, 10, 35])
BROKERS = st.sampled_from([BrokerId(1), BrokerId(2)])
GROUPING: dict[str, st.SearchStrategy[Any]] = {
    "sending": st.sampled_from(["sync", "async"]),
    "batch_messages": st.integers(1, 4),
    "linger_ms": st.sampled_from([0, 5, 60]),
    "queue_messages": st.sampled_from([1, 5, 100]),
    "compression": st.sampled_from(["none", "gzip"]),
}
PROMISING: dict[str, st.SearchStrategy[Any]] = {
    "acknowledgement": st.sampled_from(["none", "broker"]),
    "retries": st.integers(0, 3),
    "queue_full": st.sampled_from(["fail", "block", "wait"]),
    "queue_wait_ms": st.sampled_from([0, 10]),
}


class SendingMachine(RuleBasedStateMachine):
    """Keyed records are sent through two brokers, over links that lose, delay and are cut."""

    changeable = GROUPING

    @initialize(sending=st.sampled_from(["sync", "async"]))
    def begin(self, sending: str) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="sending-model-"))
        config = with_producer(TINY, acknowledgement="broker", retries=UNLIMITED_RETRIES, queue_full="block")
        self.stage = Stage(self.root, config, brokers=2).with_topic(3)
        self.stage.do("set_producer", sending=sending)
        self.sent: dict[str, list[bytes]] = {key: [] for key in KEYS}
        self.sets: dict[int, list[bytes]] = {}
        self.stage.cluster.state.network.listen(self.note)
        for broker in (1, 2):
            self.stage.do("set_link", **{"from": "producer", "to": f"broker:{broker}"}, loss_percent=40)

    def note(self, message: object) -> None:
        if not isinstance(message, RequestEnvelope):
            return
        request = message.request
        if isinstance(request, ProduceRequest):
            self.sets[message.batch.batch] = [payload for _, _, payload in iterate_deep(request.message_set, 0)]

    def teardown(self) -> None:
        if hasattr(self, "sets"):
            self.repair()
            self.stage.run_ms(20_000)
            self.compare()
            assert self.stage.cluster.check() == []
            self.stage.cluster.close()
            self.stage.journal.close()
            shutil.rmtree(self.root)

    def start_brokers(self) -> None:
        for broker in (BrokerId(1), BrokerId(2)):
            if not self.stage.cluster.state.broker(broker).alive:
                self.stage.do("start_broker", broker=broker)

    def appended(self) -> list[bytes]:
        """Return what brokers appended, in order of first appends; a batch that was refused is not among them."""
        appended = [event["batch"] for event in self.stage.events("batch_appended")]
        return list(dict.fromkeys(value for batch in appended for value in self.sets.get(batch, [])))

    def compare(self) -> None:
        found = self.appended()
        for values in self.sent.values():
            assert [value for value in found if value in values] == values

    @rule(keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=4), wait_ms=SOME_MS)
    def send(self, keys: list[str], wait_ms: int) -> None:
        values = [f"{key}{len(self.sent[key])}-{index}" for index, key in enumerate(keys)]
        records = [{"key": key, "value": value} for key, value in zip(keys, values, strict=True)]
        try:
            self.stage.do("produce", records=records)
        except (QueueFull, NoBrokerAvailable):
            return
        for key, value in zip(keys, values, strict=True):
            self.sent[key].append(value.encode())
        self.stage.run_ms(wait_ms)

    @rule(data=st.data(), wait_ms=SOME_MS)
    def change_settings(self, data: st.DataObject, wait_ms: int) -> None:
        names = data.draw(st.lists(st.sampled_from(sorted(self.changeable)), min_size=1, max_size=3, unique=True))
        self.stage.do("set_producer", **{name: data.draw(self.changeable[name], name) for name in names})
        self.stage.run_ms(wait_ms)

    @rule(broker=BROKERS, loss_percent=st.sampled_from([0, 30, 70, 100]), delay_ms=st.sampled_from([0, 5, 16, 40]))
    def disturb_a_link(self, broker: BrokerId, loss_percent: int, delay_ms: int) -> None:
        link = {"from": "producer", "to": f"broker:{broker}"}
        cut = {"cut": True} if loss_percent == 100 else {"loss_percent": loss_percent}
        self.stage.do("set_link", **link, **cut, delay_ms=delay_ms)

    @rule()
    def repair(self) -> None:
        """Repair everything: a disk that stayed slow would get retries faster than it writes, without an end."""
        self.stage.do("heal_links")
        self.stage.do("set_disk", broker=1, delay_ms=0)
        self.start_brokers()

    @rule(wait_ms=SOME_MS, delay_ms=st.sampled_from([0, 4, 20]))
    def slow_a_disk(self, wait_ms: int, delay_ms: int) -> None:
        self.stage.do("set_disk", broker=1, delay_ms=delay_ms)
        self.stage.run_ms(wait_ms)

    @rule(broker=BROKERS, wait_ms=SOME_MS, verb=st.sampled_from(["crash_broker", "stop_broker"]))
    def end_a_broker(self, broker: BrokerId, wait_ms: int, verb: str) -> None:
        if self.stage.cluster.state.broker(broker).alive:
            self.stage.do(verb, broker=broker)
            self.stage.run_ms(wait_ms)


class ChangingPromisesMachine(SendingMachine):
    """The same with acknowledgements that come and go, limited retries and an application that may stop waiting."""

    changeable = GROUPING | PROMISING

    def compare(self) -> None:
        found = self.appended()
        for values in self.sent.values():
            kept = [value for value in found if value in values]
            assert kept == [value for value in values if value in kept]
        counts = self.stage.cluster.snapshot()["producer_queue"]
        assert (counts["queued"], counts["blocked"]) == (0, 0)


FEW = settings(max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
TestNothingIsOvertakenOrLeftOut = SendingMachine.TestCase
TestNothingIsOvertakenOrLeftOut.settings = FEW
TestNothingIsOvertaken = ChangingPromisesMachine.TestCase
TestNothingIsOvertaken.settings = FEW
