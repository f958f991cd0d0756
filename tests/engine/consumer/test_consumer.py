"""A consumer that fetches, works, commits, seeks and fails."""

from dataclasses import replace

from engine.config import SECOND_US, TINY, Config
from engine.ids import TopicPartition
from engine.protocol.envelope import FetchLabel, ResponseEnvelope
from tests.engine.conftest import MakeStage
from tests.support.clusters import Stage, with_consumer, with_producer


def one_partition(make_stage: MakeStage, config: Config = TINY) -> Stage:
    stage = make_stage(replace(config, flush_messages=1), brokers=1)
    stage.do("add_topic", topic="clicks", partitions=1)
    return stage


def fill(stage: Stage, count: int, value: str = "test") -> None:
    stage.do("produce", records=[{"value": value}] * count)
    stage.run_ms(5)


def consumed(stage: Stage, name: str) -> int:
    return sum(event["messages"] for event in stage.events("messages_consumed") if event["consumer"] == name)


def test_a_consumer_fetches_works_and_commits_to_the_end(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    fill(stage, 20)
    stage.with_group("A")
    place = stage.position()
    assert (place["committed_offset"], place["fetch_offset"], place["lag_bytes"], place["lag_messages"]) == (
        260,
        260,
        0,
        0,
    )
    assert consumed(stage, "A") == 20


def test_a_fetch_returns_the_bytes_asked_for_and_a_cut_message_is_fetched_again(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage, with_consumer(TINY, fetch_bytes=30))
    fill(stage, 5)
    stage.with_group("A")
    received = stage.events("fetch_received")
    assert [(event["offset"], event["bytes"], event["messages"]) for event in received[:3]] == [
        (0, 30, 2),
        (26, 30, 2),
        (52, 13, 1),
    ]
    assert consumed(stage, "A") == 5


def test_positions_move_only_after_the_work_is_done(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage, with_consumer(TINY, messages_per_second=10))
    fill(stage, 3)
    stage.do("add_group", group="readers")
    stage.do("add_consumer", group="readers", consumer="A")
    stage.run_ms(60)
    fetcher = next(iter(stage.consumer("A").fetchers.values()))
    assert (fetcher.fetch_offset, fetcher.consumed_offset) == (39, 0)
    stage.run_ms(100)
    assert fetcher.consumed_offset == 13


def test_exactly_the_uncommitted_messages_are_delivered_again_after_a_crash(make_stage: MakeStage) -> None:
    config = replace(with_consumer(TINY, commit_interval_ms=600_000, fetch_bytes=100_000), segment_bytes=10_000)
    stage = one_partition(make_stage, config)
    fill(stage, 50)
    stage.with_group("A")
    stage.do("commit", group="readers")
    stage.run_ms(5)
    assert stage.position()["committed_offset"] == 650
    fill(stage, 23)
    stage.run_ms(200)
    assert consumed(stage, "A") == 73
    stage.do("crash_consumer", consumer="A")
    stage.do("add_consumer", group="readers", consumer="B")
    stage.run_ms(500)
    assert consumed(stage, "B") == 23  # case 52
    assert stage.events("fetching_started")[-1]["offset"] == 650


def test_nothing_is_delivered_again_after_a_clean_close(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage, with_consumer(TINY, commit_interval_ms=600_000))
    fill(stage, 30)
    stage.with_group("A")
    stage.run_ms(300)
    assert stage.position()["committed_offset"] == 0
    stage.do("stop_consumer", consumer="A")
    stage.run_ms(20)
    assert stage.position()["committed_offset"] == 390
    stage.do("add_consumer", group="readers", consumer="B")
    stage.run_ms(300)
    assert consumed(stage, "B") == 0  # case 52


def test_after_a_clean_close_members_and_owners_are_gone_and_offsets_stay(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    fill(stage, 3)
    stage.with_group("A")
    assert stage.cluster.snapshot()["registry"]["/consumers/readers/ids/A"][0] == '{ "clicks": 1 }'
    stage.do("stop_consumer", consumer="A")
    stage.run_ms(20)
    registry = stage.cluster.snapshot()["registry"]
    assert "/consumers/readers/ids/A" not in registry  # case 50
    assert "/consumers/readers/owners/clicks/1-0" not in registry
    assert registry["/consumers/readers/offsets/clicks/1-0"] == ["39", ""]


def test_a_seek_is_stored_and_the_messages_are_delivered_again(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    fill(stage, 10)
    stage.with_group("A")
    stage.do("seek", group="readers", partition=0, offset=26)
    stage.run_ms(1)
    assert stage.position()["committed_offset"] == 26
    stage.run_ms(200)
    assert consumed(stage, "A") == 18
    assert stage.position()["committed_offset"] == 130


def test_a_seek_to_earliest_latest_or_a_time_finds_its_offset(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage, replace(TINY, segment_bytes=30))
    for _ in range(6):
        fill(stage, 1)
    stage.do("add_group", group="readers")
    for where, expected in [("latest", 78), ("earliest", 0)]:
        stage.do("seek", group="readers", partition=0, offset=where)
        assert stage.position()["committed_offset"] == expected
    stage.do("seek", group="readers", partition=0, time_us=stage.cluster.now_us)
    assert stage.position()["committed_offset"] == 78
    stage.do("seek", group="readers", partition=0, time_us=0)
    assert stage.position()["committed_offset"] == 0
    stage.do("seek", group="readers", partition=0, time_s=stage.cluster.now_us / SECOND_US)
    assert stage.position()["committed_offset"] == 78


def test_bytes_in_flight_during_a_seek_are_discarded(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage, with_consumer(TINY, messages_per_second=10))
    fill(stage, 4)
    stage.do("add_group", group="readers")
    stage.do("add_consumer", group="readers", consumer="A")
    while not stage.events("fetch_answered"):
        stage.run_ms(0.1)
    stage.do("seek", group="readers", partition=0, offset=39)
    stage.run_ms(2)
    (failed,) = stage.events("fetch_failed")
    assert failed["reason"] == "stopped"
    stage.run_ms(500)
    assert consumed(stage, "A") == 1


def test_a_paused_consumer_keeps_its_partition_and_does_nothing_until_resumed(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    fill(stage, 2)
    stage.with_group("A")
    stage.do("pause_consumer", consumer="A")
    stage.run_ms(20)
    pulls = len(stage.events("fetch_sent"))
    fill(stage, 5)
    stage.run_ms(500)
    assert len(stage.events("fetch_sent")) == pulls
    assert stage.owners() == {"A": ["clicks-0"]}
    stage.do("resume_consumer", consumer="A")
    stage.run_ms(200)
    assert consumed(stage, "A") == 7


def test_a_damaged_message_is_never_delivered_and_stops_the_partition_until_a_seek_past_it(
    make_stage: MakeStage,
) -> None:
    stage = one_partition(make_stage)
    fill(stage, 5)
    stage.do("corrupt", partition=0, offset=26)
    stage.with_group("A")
    (rejected,) = stage.events("message_rejected")
    assert (rejected["offset"], rejected["error"]) == (26, "invalid_message")  # case 27
    assert consumed(stage, "A") == 2
    assert stage.position()["committed_offset"] == 26
    stage.do("seek", group="readers", partition=0, offset=39)
    stage.run_ms(200)
    assert consumed(stage, "A") == 4


def test_a_position_inside_the_last_message_of_a_segment_is_an_error_and_not_waited_on(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage, replace(TINY, segment_bytes=1))
    fill(stage, 1)
    fill(stage, 1)
    stage.cluster.state.registry.put_by_operator("/consumers/readers/offsets/clicks/1-0", "11")
    stage.with_group("A")
    (rejected, *_) = stage.events("message_rejected")
    assert (rejected["offset"], rejected["error"]) == (11, "invalid_message_size")
    stage.do("seek", group="readers", partition=0, offset="earliest")
    stage.run_ms(200)
    assert consumed(stage, "A") == 2


def test_a_message_larger_than_a_fetch_is_reported_and_a_larger_fetch_gets_past_it(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage, with_consumer(TINY, fetch_bytes=10))
    fill(stage, 1)
    stage.with_group("A")
    (rejected,) = stage.events("message_rejected")
    assert rejected["error"] == "invalid_message_size"  # case 34
    stage.do("set_consumer", consumer="A", fetch_bytes=9)
    stage.do("set_consumer", consumer="A", fetch_bytes=10)
    stage.run_ms(100)
    assert len(stage.events("message_rejected")) == 2, "one more byte is not enough"
    stage.do("set_consumer", consumer="A", messages_per_second=50.0)
    stage.do("set_consumer", consumer="A", fetch_bytes=100)
    assert [event["offset"] for event in stage.events("reading_resumed")] == [0, 0]
    stage.run_ms(100)
    assert consumed(stage, "A") == 1


def test_a_compressed_set_is_decompressed_and_read_again_in_full_after_a_commit_inside_it(
    make_stage: MakeStage,
) -> None:
    config = with_consumer(with_producer(TINY, compression="gzip"), messages_per_second=10, commit_interval_ms=50)
    stage = one_partition(make_stage, config)
    fill(stage, 4)
    stage.do("add_group", group="readers")
    stage.do("add_consumer", group="readers", consumer="A")
    stage.run_ms(250)
    assert consumed(stage, "A") == 2
    assert stage.position()["committed_offset"] == 0
    stage.run_ms(500)
    assert consumed(stage, "A") == 4
    assert stage.position()["committed_offset"] == stage.partition()["next_offset"]


def test_a_consumer_backs_off_while_its_broker_is_down_and_continues_when_it_is_back(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    fill(stage, 2)
    stage.with_group("A")
    stage.do("crash_broker", broker=1)
    stage.run_ms(30)
    assert {event["reason"] for event in stage.events("fetch_failed")} == {"broker_down"}
    stage.run_ms(200)
    stage.do("start_broker", broker=1)
    stage.run_ms(200)
    fill(stage, 3)
    stage.run_ms(200)
    assert consumed(stage, "A") == 5


def test_two_groups_each_get_everything_at_their_own_pace(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    fill(stage, 10)
    stage.with_group("A")
    stage.do("add_group", group="others")
    stage.do("add_consumer", group="others", consumer="X")
    stage.do("set_consumer", consumer="X", messages_per_second=5)
    stage.run_ms(1_000)
    assert consumed(stage, "A") == 10
    assert 3 <= consumed(stage, "X") <= 5
    stage.run_ms(2_000)
    assert consumed(stage, "X") == 10


def test_every_group_gets_every_message_once_and_in_order_within_a_partition_only(make_stage: MakeStage) -> None:
    # case 56
    stage = make_stage(replace(TINY, flush_messages=1)).with_topic(3).with_group("A", "B")
    stage.do("add_group", group="others")
    stage.do("add_consumer", group="others", consumer="X")
    stage.do("set_consumer", group="readers", consumer="B", messages_per_second=20)
    for number in range(30):
        stage.do("produce", records=[{"value": f"value {number}"}])
        stage.run_ms(5)
    stage.run_ms(3_000)
    appended = [(event["partition"], event["offset"]) for event in stage.events("batch_appended")]
    worked_on = stage.events("messages_consumed")
    for group, members in (("readers", {0: "A", 1: "A", 2: "B"}), ("others", dict.fromkeys(range(3), "X"))):
        read = [event for event in worked_on if event["group"] == group]
        for partition in range(3):
            mine = [event for event in read if event["partition"] == partition]
            assert [event["offset"] for event in mine] == [0, *(event["next_offset"] for event in mine[:-1])]
            assert mine[-1]["next_offset"] == stage.partition(partition)["next_offset"]
            assert {event["consumer"] for event in mine} == {members[partition]}
    places = [(event["partition"], event["offset"]) for event in worked_on if event["group"] == "readers"]
    assert places != [place for place in appended if place in places]  # B is slow: A's partitions do not wait for it


def test_a_position_before_the_log_begins_is_set_to_the_smallest_offset(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    fill(stage, 3)
    stage.with_group("A")
    fetcher = next(iter(stage.consumer("A").fetchers.values()))
    fetcher.jump(-5)
    stage.run_ms(200)
    (reset,) = stage.events("offset_reset")
    assert (reset["out_of_range_offset"], reset["offset"]) == (-5, 0)
    assert consumed(stage, "A") == 6


OFFSET_NODE = "/consumers/readers/offsets/clicks/1-0"


def test_a_clean_close_stores_a_position_that_never_moved(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage, with_consumer(TINY, commit_interval_ms=0, messages_per_second=0.1))
    fill(stage, 1)
    stage.with_group("A")
    assert OFFSET_NODE not in stage.cluster.state.registry.tree
    stage.do("stop_consumer", consumer="A")
    stage.run_ms(20)
    assert stage.cluster.state.registry.value(OFFSET_NODE, "") == "0"


def test_a_rebalance_and_a_commit_by_time_store_a_position_that_never_moved(make_stage: MakeStage) -> None:
    for interval_ms, rebalance in ((0, True), (20, False)):
        stage = one_partition(make_stage, with_consumer(TINY, commit_interval_ms=interval_ms, messages_per_second=0.1))
        fill(stage, 1)
        stage.with_group("A")
        if rebalance:
            stage.do("add_consumer", group="readers", consumer="B")
            stage.run_ms(100)
        assert stage.cluster.state.registry.value(OFFSET_NODE, "") == "0"
        assert len(stage.events("commit_sent")) == (0 if rebalance else 1)


def test_responses_that_arrive_twice_or_for_an_earlier_ownership_count_once(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    answers: list[ResponseEnvelope] = []

    def listen(message: object) -> None:
        if isinstance(message, ResponseEnvelope) and message.response.body:
            answers.append(message)

    stage.cluster.state.network.listen(listen)
    fill(stage, 4)
    stage.with_group("A")
    stage.consumer("A").receive("broker:1", answers[0])
    assert stage.consumer("A").fetchers[TopicPartition("clicks", 0)].waiting_messages == 0
    stage.do("add_consumer", group="readers", consumer="B")
    stage.run_ms(200)
    stage.consumer("A").receive("broker:1", answers[0])
    stage.run_ms(100)
    assert consumed(stage, "A") == 4
    label = answers[0].answers.label
    assert isinstance(label, FetchLabel)
    assert len([event for event in stage.events("fetch_received") if event["fetch"] == label.fetch]) == 1
