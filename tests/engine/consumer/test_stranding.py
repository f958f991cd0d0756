"""A consumer with a request under way continues by itself, whatever happens, or reports what stops it."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.commands import apply, parse_command
from engine.config import TINY, Config
from engine.errors import OffsetscopeError
from engine.protocol.envelope import FetchLabel, OffsetsLabel, RequestEnvelope, ResponseEnvelope
from engine.protocol.faults import UNKNOWN, WRONG_PARTITION
from engine.protocol.responses import encode_offsets_response, response_header
from engine.runtime.network import NO_FAULT, LinkFault
from engine.simulation.recovery import recover
from tests.engine.conftest import MakeStage
from tests.support.clusters import GROUP, Stage, with_consumer

BROKER_LINK = ("broker:1", f"consumer:{GROUP}/A")
BEYOND = 100_000


LARGE_FETCHES: Config = replace(with_consumer(TINY, fetch_bytes=4_000), flush_messages=1)


def placed_beyond_the_log(make_stage: MakeStage) -> Stage:
    """Make a consumer whose committed offset is outside the log, and which is just asking where the log begins."""
    stage = make_stage(LARGE_FETCHES, brokers=1).with_topic(1)
    stage.do("produce", count=5)
    stage.run_ms(10)
    stage.cluster.state.registry.put_by_operator(f"/consumers/{GROUP}/offsets/clicks/1-0", str(BEYOND))
    asked = sent(stage, OffsetsLabel)
    stage.do("add_group", group=GROUP)
    stage.do("add_consumer", group=GROUP, consumer="A")
    run_until_there_is(asked, stage)
    return stage


def sent(stage: Stage, kind: type) -> list[RequestEnvelope]:
    """Return a list that grows with every request sent from now on that has a label of this kind."""
    found: list[RequestEnvelope] = []

    def listen(message: object) -> None:
        if isinstance(message, RequestEnvelope) and isinstance(message.label, kind):
            found.append(message)

    stage.cluster.state.network.listen(listen)
    return found


def run_until_there_is(asked: list[RequestEnvelope], stage: Stage) -> None:
    for _ in range(10_000):
        if asked:
            return
        stage.run_ms(0.1)
    raise AssertionError("nothing is asked")


def cut(stage: Stage, duration_ms: float) -> None:
    stage.cluster.state.network.set_link_fault(BROKER_LINK, LinkFault(cut=True))
    stage.run_ms(duration_ms)
    stage.cluster.state.network.set_link_fault(BROKER_LINK, NO_FAULT)


def rebalance(stage: Stage) -> None:
    """Add a member that gets no partition, so that the consumer releases its partition and claims it again."""
    stage.do("add_consumer", group=GROUP, consumer="B")


def rebalance_on_a_slow_wire(stage: Stage) -> None:
    """Let the answer to the old fetcher's request arrive while the request of the new fetcher is under way."""
    stage.cluster.state.network.set_link_fault(BROKER_LINK, LinkFault(delay_us=15_000))
    rebalance(stage)
    stage.run_ms(100)
    stage.cluster.state.network.set_link_fault(BROKER_LINK, NO_FAULT)


def crash_the_broker(stage: Stage) -> None:
    stage.do("crash_broker", broker=1)
    stage.run_ms(30)
    stage.do("start_broker", broker=1)


def pause_and_resume(stage: Stage) -> None:
    stage.do("pause_consumer", consumer="A")
    stage.run_ms(50)
    stage.do("resume_consumer", consumer="A")


def pause_with_a_lost_answer(stage: Stage) -> None:
    stage.do("pause_consumer", consumer="A")
    cut(stage, 100)
    stage.do("resume_consumer", consumer="A")


def forbid_and_allow_resets(stage: Stage) -> None:
    stage.do("set_consumer", consumer="A", offset_reset="fail")
    cut(stage, 100)
    assert stage.position()["error"] == "offset_out_of_range"
    stage.do("set_consumer", consumer="A", offset_reset="smallest")


MEANWHILE: list[Callable[[Stage], None]] = [
    lambda stage: cut(stage, 5),
    lambda stage: cut(stage, 200),
    rebalance,
    rebalance_on_a_slow_wire,
    crash_the_broker,
    pause_and_resume,
    pause_with_a_lost_answer,
    forbid_and_allow_resets,
    lambda stage: stage.do("freeze_consumer", consumer="A", duration_ms=40),
    lambda stage: stage.do("freeze_consumer", consumer="A", duration_ms=400),
    lambda stage: stage.do("seek", group=GROUP, partition=0, offset="earliest"),
    lambda stage: stage.do("set_consumer", consumer="A", queued_chunks=2),
    lambda stage: stage.do("expire_session", client=f"consumer:{GROUP}/A"),
]


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_a_consumer_that_resets_its_offset_continues_whatever_happens_meanwhile(
    make_stage: MakeStage, meanwhile: Callable[[Stage], None]
) -> None:
    stage = placed_beyond_the_log(make_stage)
    meanwhile(stage)
    stage.run_ms(1_500)
    place, end = stage.position(), stage.partition()["next_offset"]
    assert (place["owner"], place["error"], place["fetch_offset"], place["committed_offset"]) == ("A", "", end, end)


def test_an_answer_to_an_earlier_offsets_request_moves_no_position(make_stage: MakeStage) -> None:
    stage = placed_beyond_the_log(make_stage)
    stage.run_ms(100)
    asked = sent(stage, OffsetsLabel)
    consumer = stage.consumer("A")
    fetcher = next(iter(consumer.fetchers.values()))
    fetcher.jump(BEYOND)
    fetcher.poll_after(0)
    run_until_there_is(asked, stage)
    label = asked[0].label
    assert isinstance(label, OffsetsLabel)
    earlier = RequestEnvelope(OffsetsLabel(label.number - 1), asked[0].frame)
    consumer.receive("broker:1", ResponseEnvelope(earlier, encode_offsets_response([7])))
    assert fetcher.fetch_offset == BEYOND
    consumer.receive("broker:1", ResponseEnvelope(asked[0], encode_offsets_response([0])))
    assert fetcher.fetch_offset == 0
    consumer.receive("broker:1", ResponseEnvelope(asked[0], encode_offsets_response([7])))
    assert fetcher.fetch_offset == 0


def test_a_position_that_is_not_known_yet_is_not_committed(make_stage: MakeStage) -> None:
    stage = make_stage(with_consumer(TINY, offset_reset="largest"), brokers=1).with_topic(1)
    stage.do("add_group", group=GROUP)
    stage.cluster.state.network.set_link_fault(BROKER_LINK, LinkFault(cut=True))
    stage.do("add_consumer", group=GROUP, consumer="A")
    stage.run_ms(200)
    stage.do("stop_consumer", consumer="A")
    stage.run_ms(50)
    assert stage.events("commit_sent") == []
    assert f"/consumers/{GROUP}/offsets/clicks/1-0" not in stage.cluster.state.registry.tree


def test_a_disk_that_cannot_be_read_for_a_while_is_reported_and_asked_again(make_stage: MakeStage) -> None:
    stage = make_stage(LARGE_FETCHES, brokers=1).with_topic(1).with_group("A")
    consumer, end = stage.consumer("A"), stage.position()["fetch_offset"]
    asked = sent(stage, FetchLabel)
    for _ in range(3):
        asked.clear()
        run_until_there_is(asked, stage)
        consumer.receive("broker:1", ResponseEnvelope(asked[-1], response_header(0, UNKNOWN)))
    assert (stage.position()["error"], stage.position()["fetch_offset"]) == ("unknown_server_fault", end)
    assert [event["error"] for event in stage.events("message_rejected")] == ["unknown_server_fault"]
    stage.do("produce", count=1)
    stage.run_ms(200)
    assert stage.position()["error"] == ""
    assert stage.position()["committed_offset"] == stage.partition()["next_offset"] > end
    assert stage.events("offset_reset") == []


def test_a_partition_that_the_broker_does_not_know_is_reported(make_stage: MakeStage) -> None:
    stage = make_stage(TINY, brokers=1).with_topic(1).with_group("A")
    asked = sent(stage, FetchLabel)
    run_until_there_is(asked, stage)
    stage.consumer("A").receive("broker:1", ResponseEnvelope(asked[-1], response_header(0, WRONG_PARTITION)))
    asked.clear()
    stage.run_ms(200)
    assert (stage.position()["error"], asked) == ("unknown_partition", [])


@pytest.mark.parametrize("fetch_bytes", [1, 3, 4, 12])
def test_a_fetch_too_small_for_a_message_is_reported_everywhere_and_stops_the_fetching(
    make_stage: MakeStage, fetch_bytes: int
) -> None:
    stage = make_stage(with_consumer(TINY, fetch_bytes=fetch_bytes), brokers=1).with_topic(1).with_group("A")
    pulls = len(stage.events("fetch_sent"))
    (rejected,) = stage.events("message_rejected")
    assert (rejected["offset"], rejected["error"]) == (0, "invalid_message_size")
    assert stage.position()["error"] == "invalid_message_size"
    assert stage.cluster.snapshot()["positions"][f"{GROUP}/clicks-0"]["error"] == "invalid_message_size"
    stage.run_ms(500)
    assert len(stage.events("fetch_sent")) == pulls
    stage.do("set_consumer", consumer="A", fetch_bytes=100)
    stage.run_ms(200)
    assert (stage.position()["error"], stage.position()["lag_messages"]) == ("", 0)


# --- any sequence of commands ---------------------------------------------------------------------------------------

A_CONSUMER = st.sampled_from(["A", "B"])
COMMANDS = st.one_of(
    st.builds(lambda count: {"command": "produce", "count": count}, st.integers(1, 20)),
    st.builds(
        lambda verb, name: {"command": verb, "consumer": name},
        st.sampled_from(["pause_consumer", "resume_consumer", "crash_consumer", "stop_consumer"]),
        A_CONSUMER,
    ),
    st.builds(lambda name: {"command": "add_consumer", "group": GROUP, "consumer": name}, A_CONSUMER),
    st.builds(lambda verb: {"command": verb, "broker": 1}, st.sampled_from(["crash_broker", "start_broker"])),
    st.builds(
        lambda name, ms: {"command": "freeze_consumer", "consumer": name, "duration_ms": ms},
        A_CONSUMER,
        st.sampled_from([1, 10, 100]),
    ),
    st.builds(
        lambda name, changes: {"command": "set_consumer", "consumer": name, **changes},
        A_CONSUMER,
        st.sampled_from(
            [
                {"offset_reset": "smallest"},
                {"offset_reset": "largest"},
                {"offset_reset": "fail"},
                {"fetch_bytes": 3},
                {"fetch_bytes": 100},
                {"fetch_bytes": 4_000},
                {"queued_chunks": 1},
                {"queued_chunks": 3},
                {"messages_per_second": 100},
                {"messages_per_second": 2_000},
                {"position_moves": "before"},
                {"position_moves": "after"},
            ]
        ),
    ),
    st.builds(
        lambda where: {"command": "seek", "group": GROUP, "partition": 0, "offset": where},
        st.sampled_from(["earliest", "latest"]),
    ),
    st.builds(
        lambda name, to, link_fault: {
            "command": "set_link",
            "from": f"consumer:{GROUP}/{name}",
            "to": to,
            **link_fault,
        },
        A_CONSUMER,
        st.sampled_from(["broker:1", "registry"]),
        st.sampled_from([{}, {"cut": True}, {"loss_percent": 50}, {"delay_ms": 15}, {"delay_ms": 60}]),
    ),
    st.builds(lambda name: {"command": "expire_session", "client": f"consumer:{GROUP}/{name}"}, A_CONSUMER),
)


class StageRun:
    """A stage that applies commands and skips those that are refused."""

    def __init__(self, stage: Stage) -> None:
        self.cluster = stage.cluster
        self.pass_time = lambda duration_us: stage.run_ms(duration_us / 1_000)

    def do(self, fields: Mapping[str, Any]) -> bool:
        try:
            apply(self.cluster, parse_command(fields))
        except OffsetscopeError:
            return False
        return True


@contextmanager
def stage_with_short_retention() -> Iterator[Stage]:
    """Make a stage whose logs keep so little that positions fall out of them."""
    config = replace(LARGE_FETCHES, segment_bytes=100, retention_bytes=300, retention_check_interval_us=10_000)
    with tempfile.TemporaryDirectory(prefix="stranding-") as directory:
        stage = Stage(Path(directory), config, brokers=1).with_topic(2).with_group("A", "B")
        try:
            yield stage
        finally:
            stage.cluster.close()
            stage.journal.close()


def left_behind(stage: Stage) -> Iterator[str]:
    """Yield each position that a running consumer, neither paused nor stuck, has not brought to the end of its log."""
    state = stage.cluster.state
    for consumer in state.all_consumers():
        if consumer.state.name != "running" or consumer.paused:
            continue
        for partition, fetcher in consumer.fetchers.items():
            end_offset = state.broker_of(partition).logs[partition].flushed_offset
            if not fetcher.error and not fetcher.fetch_offset == fetcher.consumed_offset == end_offset:
                yield f"{consumer.consumer} fetched {fetcher.fetch_offset} of {end_offset} in {partition}"


@settings(max_examples=60, deadline=None)
@given(operations=st.lists(st.tuples(COMMANDS, st.sampled_from([0, 1, 4, 12, 40])), max_size=25))
def test_after_any_operations_each_running_consumer_reads_to_the_end(
    operations: list[tuple[dict[str, Any], int]],
) -> None:
    with stage_with_short_retention() as stage:
        run = StageRun(stage)
        for fields, wait_ms in operations:
            run.do(fields)
            stage.run_ms(wait_ms)
        recover(run)
        assert list(left_behind(stage)) == []
