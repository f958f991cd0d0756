"""Sets that are appended together: the outcome of each is that of a set appended alone."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidMessage, InvalidMessageSize, StorageFailed
from engine.ids import TopicPartition
from engine.message.compression import deflate
from engine.message.format import GZIP, SNAPPY, encode_magic_1
from engine.message.message_set import encode_compressed_set, encode_message_set
from engine.tcp.partition_logs import PartitionLogs
from engine.tcp.produce_run import RUN_MAX_BYTES, ProduceRun
from engine.tcp.settings import BrokerSettings
from tests.support.disks import FaultyDisk

A, B = TopicPartition("a", 0), TopicPartition("b", 0)
GOOD = encode_message_set([b"good", b"set"])
DAMAGED = GOOD[:-1] + b"T"
TOO_LARGE = encode_message_set([b"x" * 101])
CUT = GOOD + b"\0\0\0"
CLAIMS_MORE = (120).to_bytes(4, "big") + b"\0"  # a part of a message as long as some sets that may follow
SETS = [
    GOOD,
    encode_message_set([b"other"]),
    encode_compressed_set([b"in", b"side"]),
    b"",
    DAMAGED,
    TOO_LARGE,
    CUT,
    b"\0",
    GOOD + CLAIMS_MORE,
    CLAIMS_MORE,
    DAMAGED + TOO_LARGE,
    encode_magic_1(b"packed", SNAPPY),
    encode_magic_1(b"packed", 3),
    encode_magic_1(deflate(b""), GZIP),
    encode_magic_1(deflate(encode_compressed_set([b"twice"]) + b"\0\0"), GZIP),
]

Produces = Sequence[tuple[TopicPartition, bytes]]


class Bench:
    """A run over real logs."""

    def __init__(self, folder: Path, flush_messages: int) -> None:
        self.folder = folder
        self.disk = FaultyDisk()
        settings = BrokerSettings(folder, flush_messages=flush_messages, segment_bytes=90, max_message_bytes=100)
        self.logs = PartitionLogs.open(settings, disk=self.disk, clock=time.monotonic)
        self.warnings: list[str] = []
        self.run = ProduceRun(self.logs, self.warnings.append)

    def files(self) -> dict[str, bytes]:
        """Return every segment of every log."""
        return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in self.folder.glob("*/*.kafka")}

    def content(self, partition: TopicPartition) -> bytes:
        return b"".join(self.files()[name] for name in sorted(self.files()) if name.startswith(f"{partition}/"))

    def flushed_offsets(self) -> list[int]:
        return [self.logs.get(each).flushed_offset for each in (A, B) if self.logs.holds(each)]

    def produce(self, produces: Produces, *, together: bool) -> tuple[dict[str, bytes], list[str], type | None]:
        """Append as the loop does; return all files, the warnings, and the error that ended it."""
        fault = None
        try:
            for partition, message_set in produces:
                while not self.run.takes(partition, message_set):
                    self.run.append_some()
                self.run.add(partition, message_set)
                while not together and not self.run.append_some():
                    pass
            while not self.run.append_some():
                pass
        except (InvalidMessage, InvalidMessageSize) as error:
            fault = type(error)
        return self.files(), self.warnings, fault


@contextmanager
def bench(flush_messages: int = 1_000) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as name:
        made = Bench(Path(name), flush_messages)
        yield made
        made.logs.close()


@settings(deadline=None)  # each example opens logs, on a disk that may be busy
@given(st.lists(st.tuples(st.sampled_from([A, A, A, B]), st.sampled_from(SETS)), max_size=12), st.integers(1, 9))
def test_sets_appended_together_have_the_outcome_of_sets_appended_alone(
    produces: Produces, flush_messages: int
) -> None:
    with bench(flush_messages) as first, bench(flush_messages) as second:
        assert first.produce(produces, together=True) == second.produce(produces, together=False)
        assert first.flushed_offsets() == second.flushed_offsets()


def test_messages_of_different_lengths_are_flushed_as_if_alone() -> None:
    """Each second set brings the unflushed messages to four. The first message of a set is the longer one."""
    with bench(3) as first, bench(3) as second:
        produces = [(A, b""), *[(A, GOOD)] * 4]
        assert first.produce(produces, together=True) == second.produce(produces, together=False)
        assert first.flushed_offsets() == second.flushed_offsets() == [4 * len(GOOD)]


@settings(deadline=None)  # each example opens logs, on a disk that may be busy
@given(st.integers(1, 30), st.integers(1, 9))
def test_messages_of_one_length_are_flushed_as_if_alone(count: int, flush_messages: int) -> None:
    produces = [(A, encode_message_set([b"same", b"size"]))] * count
    with bench(flush_messages) as first, bench(flush_messages) as second:
        assert first.produce(produces, together=True) == second.produce(produces, together=False)
        assert first.flushed_offsets() == second.flushed_offsets()


def test_sets_for_one_partition_are_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    with bench() as made:
        made.logs.append(A, b"")
        appended = []
        monkeypatch.setattr(made.logs, "append", lambda *arguments: appended.append(arguments))
        for _ in range(3):
            assert made.run.takes(A, GOOD)
            made.run.add(A, GOOD)
        assert made.run.held_bytes == 3 * len(GOOD)
        assert not made.run.takes(B, GOOD)
        assert made.run.append_some()
        assert appended == [(A, GOOD * 3)]
        assert made.run.held_bytes == 0


def test_a_run_has_a_size_limit() -> None:
    with bench() as made:
        made.run.add(A, bytes(RUN_MAX_BYTES))
        assert not made.run.takes(A, b"x")


def test_sets_that_are_refused_together_are_appended_one_at_a_time() -> None:
    with bench() as made:
        made.logs.append(A, b"")
        for message_set in (GOOD, TOO_LARGE, GOOD):
            made.run.add(A, message_set)
        assert [made.run.append_some() for _ in range(4)] == [False, False, False, True]
        assert made.content(A) == GOOD * 2
        assert len(made.warnings) == 1
        assert made.run.takes(A, GOOD)


@pytest.mark.parametrize("part", [b"\0", CLAIMS_MORE, encode_message_set([b"x" * 50])[:20]])
def test_a_set_after_a_partial_message_is_not_taken_for_the_rest_of_it(part: bytes) -> None:
    with bench() as made:
        made.logs.append(A, b"")
        for message_set in (GOOD + part, GOOD, GOOD + part, part[:3], GOOD):
            made.run.add(A, message_set)
        while not made.run.append_some():
            pass
        assert made.content(A) == GOOD * 4


def test_a_set_that_is_too_large_and_damaged_is_reported_and_later_sets_are_appended() -> None:
    with bench() as made:
        for message_set in (GOOD, DAMAGED + TOO_LARGE, GOOD):
            made.run.add(A, message_set)
        while not made.run.append_some():
            pass
        assert made.content(A) == GOOD * 2
        assert len(made.warnings) == 1


def test_an_empty_set_begins_a_new_segment_after_a_full_one() -> None:
    with bench() as made:
        made.logs.append(A, encode_message_set([b"x" * 90]))
        made.run.add(A, b"")
        assert made.run.append_some()
        assert len(made.files()) == 2
        assert made.logs.get(A).flushed_offset == 99


def test_nothing_is_appended_after_a_damaged_set() -> None:
    with bench() as made:
        made.logs.append(A, b"")
        for message_set in (GOOD, DAMAGED, GOOD):
            made.run.add(A, message_set)
        assert [made.run.append_some() for _ in range(2)] == [False, False]
        with pytest.raises(InvalidMessage):
            made.run.append_some()
        assert made.run.append_some()
        assert made.content(A) == GOOD


def test_a_disk_that_refuses_is_reported() -> None:
    with bench() as made:
        made.disk.refuse("append")
        for _ in range(2):
            made.run.add(A, GOOD)
        with pytest.raises(StorageFailed):
            made.run.append_some()
        made.disk.allow("append")
        assert made.run.append_some()
        assert made.content(A) == b""
