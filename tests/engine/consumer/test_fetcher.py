"""Fetched bytes to messages in bounded memory, however much compressed sets hold."""

from dataclasses import replace

import pytest

from engine.config import TINY
from engine.consumer.fetcher import MESSAGE_COST_BYTES, decode
from engine.consumer.simple_consumer import Fetch, Fetched, SimpleConsumer
from engine.ids import BrokerId, TopicPartition
from engine.message.format import SNAPPY, encode_magic_1
from engine.message.message_set import encode_compressed_set, encode_message_set
from tests.engine.conftest import MakeStage
from tests.support.clusters import with_consumer, with_producer

BOMB = encode_compressed_set([b"\0" * 10_000] * 3)
HELD = 3 * (10_000 + MESSAGE_COST_BYTES)


@pytest.mark.parametrize(("most_bytes", "sets"), [(1, 1), (HELD, 1), (HELD + 1, 2), (2 * HELD, 2), (100 * HELD, 5)])
def test_sets_that_do_not_fit_are_left_for_the_next_fetch(most_bytes: int, sets: int) -> None:
    assert len(BOMB) < 150
    messages, error = decode(BOMB * 5, 1_000, most_bytes)
    assert len(messages) == 3 * sets
    assert (messages[-1][1], error) == (1_000 + sets * len(BOMB), "")


def test_an_error_is_reported_only_after_everything_before_it_has_been_taken() -> None:
    damaged = bytearray(encode_message_set([b"good", b"bad"]))
    damaged[-1] ^= 1
    data = BOMB + bytes(damaged)
    messages, error = decode(data, 0, 1)
    assert (messages[-1][1], error) == (len(BOMB), "")
    messages, error = decode(data[len(BOMB) :], len(BOMB), 1_000)
    assert ([payload for _, _, payload in messages], error) == ([b"good"], "invalid_message")


def test_a_snappy_set_stops_reading_at_its_offset_with_its_own_error_code() -> None:
    data = encode_message_set([b"good"]) + encode_magic_1(b"packed", SNAPPY) + encode_message_set([b"behind"])
    assert decode(data, 100, 1_000) == ([(100, 113, b"good")], "unsupported_codec")


def test_a_set_that_inflates_beyond_the_limit_is_read_in_full() -> None:
    messages, error = decode(encode_compressed_set([bytes(1_000_000)] * 20) + BOMB, 0, 1_000_000)
    assert (len(messages), error) == (20, "")


def test_plain_messages_are_bounded_by_their_count_too() -> None:
    messages, error = decode(encode_message_set([b""] * 1_000), 0, 100 * MESSAGE_COST_BYTES)
    assert (len(messages), error) == (100, "")


def test_a_consumer_of_many_gzip_bombs_holds_one_at_a_time_and_misses_none(make_stage: MakeStage) -> None:
    config = with_consumer(with_producer(TINY, compression="gzip"), fetch_bytes=4_000, queued_chunks=1)
    config = replace(config, decoded_max_bytes=1, flush_messages=1, segment_bytes=100_000)
    stage = make_stage(config, brokers=1)
    stage.do("add_topic", topic="clicks", partitions=1)
    for _ in range(10):
        stage.do("produce", records=[{"value": "0" * 4_000}] * 2)
    stage.run_ms(10)
    stage.with_group("A")
    fetcher = next(iter(stage.consumer("A").fetchers.values()))
    most = 0
    for _ in range(300):
        stage.run_ms(2)
        most = max(most, fetcher.waiting_messages)
    assert {event["messages"] for event in stage.events("fetch_received") if event["bytes"]} == {2}
    assert sum(event["messages"] for event in stage.events("messages_consumed")) == 20
    assert most <= 2
    assert stage.position()["committed_offset"] == stage.partition()["next_offset"]


def test_a_simple_consumer_gets_the_offset_to_continue_from(make_stage: MakeStage) -> None:
    stage = make_stage(replace(with_producer(TINY, compression="gzip"), decoded_max_bytes=1), brokers=1).with_topic(1)
    stage.do("produce", records=[{"value": "0" * 4_000}] * 2)
    stage.run_ms(10)
    reader = SimpleConsumer("reader", stage.cluster.state.machine)
    answers: list[Fetched] = []
    first = stage.partition()["message_offsets"][1]
    for offset in (0, first):
        reader.fetch(BrokerId(1), Fetch(TopicPartition("clicks", 0), offset, 4_000), answers.append)
        stage.run_ms(20)
    assert [(len(answer.messages), answer.next_offset) for answer in answers] == [
        (1, first),
        (2, stage.partition()["next_offset"]),
    ]
