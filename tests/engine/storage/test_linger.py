"""Messages held back until there are enough of them for one write."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LogClosed, MessageTooLarge, StorageFailed
from engine.message.message_set import encode_message_set
from engine.storage.linger import LingerBuffer
from engine.storage.log import Log
from engine.storage.log_config import NEVER_BY_COUNT, LogConfig
from tests.support.disks import FaultyDisk


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


def open_log(directory: Path, disk: FaultyDisk, *, flush_messages: int = NEVER_BY_COUNT) -> Log:
    return Log.open(directory, limits=LogConfig(1 << 30, flush_messages, 100), disk=disk)


def test_messages_stand_where_the_buffer_said_they_would(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk)
    buffer = LingerBuffer(log, linger_bytes=100)
    payloads = [b"x" * (number % 20) for number in range(60)]
    offsets = [buffer.append_payload(payload) for payload in payloads[:30]]
    offsets.append(buffer.append_payloads(payloads[30:]))
    buffer.flush()
    expected = [sum(9 + len(payload) for payload in payloads[:number]) for number in range(31)]
    assert offsets == expected
    assert log.read(0, 10_000) == encode_message_set(payloads)


@settings(deadline=None, max_examples=50)  # each example is a log on disk
@given(st.lists(st.lists(st.integers(0, 3), max_size=12), max_size=12), st.booleans(), st.integers(0, 120))
def test_payloads_of_one_length_and_of_several_come_out_as_they_went_in(
    appends: list[list[int]], alike: bool, linger_bytes: int
) -> None:
    with TemporaryDirectory() as folder:
        log = open_log(Path(folder), FaultyDisk())
        buffer = LingerBuffer(log, linger_bytes)
        expected: list[bytes] = []
        for lengths in appends:
            payloads = [b"%03d" % number if alike else b"y" * size for number, size in enumerate(lengths)]
            began = len(encode_message_set(expected))
            if len(payloads) == 1:
                assert buffer.append_payload(payloads[0]) == began
            else:
                assert buffer.append_payloads(payloads) == began
            expected += payloads
        buffer.flush()
        assert log.read(0, 1 << 20) == encode_message_set(expected)
        log.close()


@pytest.mark.parametrize("odd_size", [0, 9, 11])
def test_one_payload_of_another_length_among_many_is_not_cut_or_filled_up(
    tmp_path: Path, disk: FaultyDisk, odd_size: int
) -> None:
    log = open_log(tmp_path, disk)
    buffer = LingerBuffer(log)
    alike, odd = [b"x" * 10] * 20, b"y" * odd_size
    buffer.append_payloads(alike)
    buffer.append_payload(odd)
    buffer.append_payloads(alike)
    buffer.flush()
    assert log.read(0, 10_000) == encode_message_set([*alike, odd, *alike])


def test_nothing_is_written_before_there_is_enough_and_then_all_of_it(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk)
    buffer = LingerBuffer(log, linger_bytes=100)
    for _ in range(10):
        buffer.append_payload(b"x")
    assert (log.next_offset, buffer.next_offset, buffer.held_messages) == (0, 100, 10)
    buffer.append_payload(b"x")
    assert (log.next_offset, buffer.next_offset, buffer.held_messages) == (110, 110, 0)


def test_a_buffer_goes_on_where_the_log_ends(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk)
    log.append_payload(b"before")
    assert LingerBuffer(log).append_payload(b"x") == 15


def test_a_crash_takes_what_the_buffer_holds_and_no_more(tmp_path: Path, disk: FaultyDisk) -> None:
    buffer = LingerBuffer(open_log(tmp_path, disk), linger_bytes=20)
    for text in (b"first", b"second", b"third"):
        buffer.append_payload(text)
    assert buffer.held_messages == 1
    disk.crash()
    again = open_log(tmp_path, disk)
    assert again.read(0, 100) == encode_message_set([b"first", b"second"])


def test_a_drain_flushes_when_enough_messages_wait(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, flush_messages=3)
    buffer = LingerBuffer(log)
    buffer.append_payloads([b"a", b"b", b"c"])
    assert log.flushed_offset == 0
    buffer.drain()
    assert log.flushed_offset == 30


def test_closing_the_buffer_closes_the_log_with_everything_in_it(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk)
    buffer = LingerBuffer(log)
    buffer.append_payload(b"last")
    buffer.close()
    with pytest.raises(LogClosed):
        log.flush()
    assert open_log(tmp_path, disk).next_offset == 13


def test_a_message_that_is_too_large_is_refused_when_it_is_given(tmp_path: Path, disk: FaultyDisk) -> None:
    buffer = LingerBuffer(open_log(tmp_path, disk))
    with pytest.raises(MessageTooLarge):
        buffer.append_payload(b"x" * 101)
    with pytest.raises(MessageTooLarge):
        buffer.append_payloads([b"small", b"x" * 101])
    assert (buffer.held_messages, buffer.next_offset) == (0, 0)
    buffer.append_payloads([b"x" * 100] * 3)  # together over the limit, each within
    assert buffer.held_messages == 3


def test_what_the_disk_refuses_stays_in_the_buffer(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk)
    buffer = LingerBuffer(log, linger_bytes=20)
    buffer.append_payload(b"first")
    disk.refuse("append")
    with pytest.raises(StorageFailed):
        buffer.append_payload(b"second")
    disk.allow("append")
    assert buffer.flush() == 14 + 15
    assert log.read(0, 100) == encode_message_set([b"first", b"second"])
