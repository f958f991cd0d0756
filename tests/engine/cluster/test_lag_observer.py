"""How far groups are: the lag in bytes, messages and time, exact at any length and equal in journal and answers."""

import contextlib
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.config import TINY
from engine.errors import OffsetscopeError
from engine.ids import TopicPartition
from tests.engine.conftest import MakeStage
from tests.support.clusters import GROUP, Stage

BYTES_OF_ONE = 39
"""A message of 30 bytes with its nine bytes of overhead."""


class Watcher:
    """A record of every appended message: the slow way to compute a lag, for comparison."""

    def __init__(self, stage: Stage) -> None:
        self.messages: dict[str, list[tuple[int, int]]] = {}
        self.ends: dict[str, int] = {}
        self.appended = 0
        self.committed: dict[tuple[str, str], int] = {}
        """By group and partition; an offset beyond a cut counts as the end of the log then, until the next commit."""
        for event in stage.events("batch_appended", "log_cut", "node_created", "node_changed"):
            if event["event"].startswith("node_"):
                self.note_commit(event)
                continue
            name = f"{event['topic']}-{event['partition']}"
            held = self.messages.setdefault(name, [])
            self.ends[name] = event["next_offset"]
            if event["event"] == "log_cut":
                kept = [one for one in held if one[0] < event["next_offset"]]
                assert event["messages_cut"] == len(held) - len(kept)
                self.appended -= len(held) - len(kept)
                held[:] = kept
                for place in [place for place in self.committed if place[1] == name]:
                    self.committed[place] = min(self.committed[place], event["next_offset"])
                continue
            offset = event["offset"]
            self.appended += event["messages"]
            each = event["messages"] if len(event["sizes"]) < event["messages"] else 1
            for size in event["sizes"]:
                held += [(offset, event["at_us"])] * each
                offset += size

    def note_commit(self, event: dict[str, Any]) -> None:
        state = event["path"].split("/")
        if state[3:4] == ["offsets"] and len(state) == 6:
            self.committed[state[2], f"{state[4]}-{state[5].partition('-')[2]}"] = int(event["value"])

    def lag(self, partition: str, committed: int, first: int, now_us: int) -> tuple[int, int, int]:
        """Return the lag in bytes, messages and microseconds."""
        end = self.ends.get(partition, 0)
        committed_in_log = min(max(committed, first), end)
        waiting = [at_us for offset, at_us in self.messages.get(partition, []) if offset >= committed_in_log]
        return end - committed_in_log, len(waiting), now_us - waiting[0] if waiting else 0


def lags_of(stage: Stage) -> dict[str, tuple[int, int, int]]:
    return {
        f"{group['group']}/{one['topic']}-{one['partition']}": (one["lag_bytes"], one["lag_messages"], one["lag_us"])
        for group in stage.cluster.facts()["groups"]
        for one in group["partitions"]
    }


def watched_lags(stage: Stage) -> dict[str, tuple[int, int, int]]:
    watcher, facts = Watcher(stage), stage.cluster.facts()
    firsts = {
        f"{topic['topic']}-{one['partition']}": one["first_offset"]
        for topic in facts["topics"]
        for one in topic["partitions"]
    }
    return {
        f"{group['group']}/{name}": watcher.lag(
            name, watcher.committed.get((group["group"], name), 0), firsts[name], stage.cluster.now_us
        )
        for group in facts["groups"]
        for one in group["partitions"]
        for name in [f"{one['topic']}-{one['partition']}"]
    }


def some_message(stage: Stage, chance: Random) -> dict[str, object]:
    """Choose one of the newest messages of a partition; return where it begins."""
    number = chance.randrange(2)
    entries = stage.cluster.state.message_indexes[TopicPartition("clicks", number)].recent
    return {"partition": number, "offset": chance.choice(entries)[0] if entries else 0}


def one_partition(make_stage: MakeStage, **changes: int) -> Stage:
    stage = make_stage(replace(TINY, **changes), brokers=1).with_topic(1)
    stage.do("add_group", group=GROUP)
    return stage


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_the_lag_always_equals_a_count_of_all_appended_messages(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    config = replace(TINY, segment_bytes=400, retention_bytes=chance.choice([700, 1 << 40]))
    stage = Stage(tmp_path, config, seed).with_topic(2).with_group("A", "B")
    for number in range(80):
        command, fields = chance.choice(
            [
                ("produce", {"count": chance.randrange(1, 7), "size": chance.randrange(10, 60)}),
                ("produce", {"count": 20, "size": 30}),
                ("set_producer", {"compression": chance.choice(["none", "gzip"])}),
                ("seek", {"group": GROUP, "partition": chance.randrange(2), "offset": "earliest"}),
                ("seek", {"group": GROUP, "partition": chance.randrange(2), "offset": "latest"}),
                ("commit", {"group": GROUP}),
                ("corrupt", some_message(stage, chance)),
                ("crash_broker", {"broker": chance.randrange(1, 4)}),
                ("start_broker", {"broker": chance.randrange(1, 4)}),
                ("crash_consumer", {"group": GROUP, "consumer": "A"}),
                ("add_consumer", {"group": GROUP, "consumer": "A"}),
                ("add_group", {"group": f"group {number}"}),
            ]
        )
        with contextlib.suppress(OffsetscopeError):  # some of it cannot be done just then
            stage.do(command, **fields)
        stage.run_ms(chance.choice([0, 1, 7, 90]))
        assert lags_of(stage) == watched_lags(stage)
        assert stage.cluster.facts()["topics"][0]["events_appended"] == Watcher(stage).appended
        assert not [rule for rule in stage.cluster.check() if "said to hold" in rule]
    stage.cluster.close()
    stage.journal.close()


def test_a_lag_in_time_is_the_age_of_the_oldest_message_that_is_not_committed(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    stage.do("seek", group=GROUP, partition=0, offset="latest")
    assert stage.position()["lag_us"] == 0
    stage.run_ms(500)
    assert stage.position()["lag_us"] == 0, "nothing waits, however long"
    stage.do("produce", count=2, size=30)
    stage.run_ms(20)
    (appended,) = stage.events("batch_appended")[1:]
    stage.do("produce", count=2, size=30)
    stage.run_ms(300)
    assert stage.position()["lag_us"] == stage.cluster.now_us - appended["at_us"] > 300_000
    stage.do("seek", group=GROUP, partition=0, offset=appended["offset"] + BYTES_OF_ONE)
    assert stage.position()["lag_us"] == stage.cluster.now_us - appended["at_us"], "its neighbour came with it"
    stage.do("seek", group=GROUP, partition=0, offset=appended["next_offset"])
    assert stage.position()["lag_us"] == stage.cluster.now_us - stage.events("batch_appended")[-1]["at_us"]


def test_the_lag_is_known_while_the_broker_is_down_and_where_bytes_are_damaged(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    start = stage.partition()["next_offset"]
    for _ in range(20):
        stage.do("produce", count=10, size=30)
        stage.run_ms(10)
    stage.run_ms(100)
    stage.do("corrupt", topic="clicks", partition=0, offset=start + BYTES_OF_ONE)
    stage.do("crash_broker", broker=1)
    stage.cluster.seek(GROUP, TopicPartition("clicks", 0), start + 4 * BYTES_OF_ONE)  # as if by a commit under way
    assert stage.position()["lag_messages"] == 196
    assert stage.position()["lag_bytes"] == 196 * BYTES_OF_ONE


def test_a_committed_offset_beyond_the_recovered_log_has_no_lag(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    start = stage.partition()["next_offset"]
    stage.do("produce", count=4, size=30)
    stage.run_ms(200)
    stage.do("seek", group=GROUP, partition=0, offset="latest")
    stage.do("corrupt", topic="clicks", partition=0, offset=start + BYTES_OF_ONE)
    stage.do("crash_broker", broker=1)
    stage.do("start_broker", broker=1)
    stage.run_ms(20)
    assert stage.partition()["next_offset"] == start + BYTES_OF_ONE < stage.position()["committed_offset"]
    assert lags_of(stage) == {"readers/clicks-0": (0, 0, 0)}
    stage.do("produce", count=1, size=30)
    stage.run_ms(20)
    assert stage.position()["lag_messages"] == 1
    stage.do("seek", group=GROUP, partition=0, offset="latest")


def test_a_committed_offset_is_reported_when_it_moves_and_not_for_every_append(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    reported = len(stage.events("committed_offset_placed"))
    for _ in range(10):
        stage.do("produce", count=3, size=30)
        stage.run_ms(10)
    assert len(stage.events("committed_offset_placed")) == reported
    stage.do("seek", group=GROUP, partition=0, offset="latest")
    last = stage.events("committed_offset_placed")[reported:]
    assert [(one["messages_before"], one["waiting_since_us"]) for one in last] == [(31, 0)]


def test_work_of_a_group_is_counted_and_repeated_work_counts_again(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    stage.do("produce", count=9, size=30)
    stage.run_ms(100)
    stage.do("add_consumer", group=GROUP, consumer="A")
    stage.run_ms(1_000)
    partition = TopicPartition("clicks", 0)
    size = stage.cluster.state.broker_of(partition).logs[partition].next_offset

    def done() -> dict[str, Any]:
        group = stage.cluster.snapshot()["groups"][GROUP]
        return {name: value for name, value in group.items() if name not in {"consumers", "topics"}}

    once = {"pulled_bytes": size, "pulled_messages": 10, "consumed_bytes": size, "consumed_messages": 10}
    assert done() == once
    stage.do("seek", group=GROUP, partition=0, offset="earliest")
    stage.run_ms(1_000)
    assert done() == {name: 2 * value for name, value in once.items()}


def test_a_recovery_that_cuts_inside_a_batch_is_counted_message_by_message(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    start = stage.partition()["next_offset"]
    stage.do("produce", count=4, size=30)
    stage.run_ms(200)
    for number in (3, 2):  # the first damage in the file counts
        stage.do("corrupt", topic="clicks", partition=0, offset=start + number * BYTES_OF_ONE)
    stage.do("crash_broker", broker=1)
    assert stage.events("log_cut") == []
    stage.do("start_broker", broker=1)
    (cut,) = stage.events("log_cut")
    assert (cut["bytes_cut"], cut["messages_cut"]) == (2 * BYTES_OF_ONE, 2)
    assert stage.cluster.facts()["topics"][0]["events_appended"] == 3
    assert stage.position()["lag_messages"] == 3
    stage.run_ms(200)
    stage.do("produce", count=2, size=30)
    stage.run_ms(200)
    stage.do("seek", group=GROUP, partition=0, offset=start + BYTES_OF_ONE)
    assert stage.position()["lag_messages"] == 3


def test_damage_to_the_first_message_of_a_log_leaves_nothing(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    stage.do("produce", count=4, size=30)
    stage.run_ms(200)
    stage.do("corrupt", topic="clicks", partition=0, offset=0)
    stage.do("crash_broker", broker=1)
    stage.do("start_broker", broker=1)
    assert stage.events("log_cut")[0]["messages_cut"] == 5
    assert stage.cluster.facts()["topics"][0]["events_appended"] == 0
    assert lags_of(stage) == {"readers/clicks-0": (0, 0, 0)}


def test_a_damaged_compressed_set_is_cut_with_all_of_its_messages(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    stage.do("set_producer", compression="gzip")
    offsets = []
    for count in (3, 5, 4):
        offsets.append(stage.partition()["next_offset"])
        stage.do("produce", count=count, size=30)
        stage.run_ms(200)
    stage.do("corrupt", topic="clicks", partition=0, offset=offsets[1])
    stage.do("crash_broker", broker=1)
    stage.do("start_broker", broker=1)
    assert stage.events("log_cut")[0]["messages_cut"] == 9
    assert stage.position()["lag_messages"] == 4


def test_unflushed_messages_and_damaged_ones_are_cut_one_after_the_other(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage, flush_messages=1_000, flush_interval_us=50_000, flush_check_interval_us=50_000)
    start = stage.partition()["next_offset"]
    stage.do("produce", count=4, size=30)
    stage.run_ms(200)
    stage.do("produce", count=3, size=30)
    stage.run_ms(5)
    stage.do("corrupt", topic="clicks", partition=0, offset=start + BYTES_OF_ONE)
    stage.do("crash_broker", broker=1)
    stage.do("start_broker", broker=1)
    cuts = [(cut["cause"], cut["messages_cut"]) for cut in stage.events("log_cut")]
    assert cuts == [("crash", 3), ("recovery", 3)]
    assert stage.position()["lag_messages"] == 2


def test_a_count_that_differs_from_the_files_is_a_broken_invariant(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    message_index = stage.cluster.state.message_indexes[TopicPartition("clicks", 0)]
    message_index.messages += 1
    assert stage.cluster.check() == ["clicks-0: the message index counts 2 messages, the files hold 1"]
    message_index.messages -= 1
