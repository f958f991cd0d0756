"""The log against a plain model in memory: after any operations in any order, both agree."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.config import NEVER_US, UNLIMITED_BYTES
from engine.errors import OffsetOutOfRange, StorageFailed
from engine.message.format import iterate_lengths
from engine.message.message_set import encode_compressed_set, encode_message_set
from engine.storage.log import NOT_ROLLED, Log
from engine.storage.log_config import LogConfig
from engine.storage.offsets import EARLIEST, LATEST, offsets_before
from engine.storage.segment import segment_name
from tests.support.disks import FaultyDisk

payload_lists = st.lists(st.binary(max_size=20), max_size=4)
encoders = st.sampled_from([encode_message_set, encode_compressed_set])


class Model:
    """What a log should hold: all bytes in one string, where entries end, where segments begin and when they changed.

    What retention removed stays in the string; ``bases`` begins with the first segment that is left.
    """

    def __init__(self, limits: LogConfig) -> None:
        self.limits = limits
        self.content = b""
        self.entry_ends: list[int] = []
        self.bases = [0]
        self.changed_us = {0: 0}
        self.flushed_changed_us = {0: 0}
        self.flushed = 0
        self.unflushed_messages = 0
        self.now_us = 0

    def roll(self) -> int:
        self.flush()
        rolled = len(self.content)
        self.bases.append(rolled)
        self.changed_us[rolled] = self.flushed_changed_us[rolled] = self.now_us
        return rolled

    def delete_old(self) -> list[int]:
        """Delete segments by age, then by size; return the bases of the deleted ones."""
        gone = self._forget(
            [base for base in self.bases if self.now_us - self.changed_us[base] > self.limits.retention_us]
        )
        spare = self.flushed - self.bases[0] - self.limits.retention_bytes
        ends = [*self.bases[1:], self.flushed]
        return gone + self._forget(
            [base for base, end in zip(self.bases, ends, strict=True) if end - self.bases[0] <= spare]
        )

    def _forget(self, wanted: list[int]) -> list[int]:
        count = next((index for index, base in enumerate(self.bases) if base not in wanted), len(self.bases))
        if count == len(self.bases):
            if self.flushed > self.bases[-1]:
                self.roll()
            else:
                count -= 1
                self.changed_us[self.bases[-1]] = self.flushed_changed_us[self.bases[-1]] = self.now_us
        gone, self.bases = self.bases[:count], self.bases[count:]
        return gone

    def append(self, message_set: bytes, sizes: tuple[int, ...], messages: int) -> int:
        """Append a set; return the base of the segment that it opened, if it did."""
        rolled = NOT_ROLLED
        if len(self.content) - self.bases[-1] > self.limits.segment_bytes:
            rolled = self.roll()
        if message_set:
            self.changed_us[self.bases[-1]] = self.now_us
        for size in sizes:
            self.entry_ends.append((self.entry_ends or [0])[-1] + size)
        self.content += message_set
        self.unflushed_messages += messages
        if self.unflushed_messages >= self.limits.flush_messages:
            self.flush()
        return rolled

    def flush(self) -> None:
        self.flushed = len(self.content)
        self.unflushed_messages = 0
        self.flushed_changed_us[self.bases[-1]] = self.changed_us[self.bases[-1]]

    def cut(self, size: int) -> None:
        """Keep the entries that end within ``size`` bytes; they count as flushed, and the log as changed now if
        something was cut off.
        """
        self.entry_ends = [end for end in self.entry_ends if end <= size]
        end = max([self.bases[-1], *self.entry_ends])
        if end < size:
            self.changed_us[self.bases[-1]] = self.now_us
        self.content = self.content[:end]
        self.flush()

    def read(self, offset: int, max_bytes: int) -> bytes:
        segment_end = min([base for base in self.bases if base > offset], default=self.flushed)
        return self.content[offset : min(offset + max_bytes, segment_end, self.flushed)]


class LogMachine(RuleBasedStateMachine):
    """A machine that appends to, flushes, reads, closes, crashes and damages a log, and its model with it."""

    @initialize(
        segment_bytes=st.integers(1, 120),
        flush_messages=st.integers(1, 8),
        retention_us=st.sampled_from([NEVER_US, 0, 50]),
        retention_bytes=st.sampled_from([UNLIMITED_BYTES, 0, 150]),
    )
    def begin(self, segment_bytes: int, flush_messages: int, retention_us: int, retention_bytes: int) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="log-model-"))
        self.limits = LogConfig(
            segment_bytes,
            flush_messages,
            max_message_bytes=1000,
            retention_us=retention_us,
            retention_bytes=retention_bytes,
        )
        self.disk = FaultyDisk()
        self.model = Model(self.limits)
        self.log = self.open()

    def teardown(self) -> None:
        if hasattr(self, "root"):
            self.disk.crash()
            shutil.rmtree(self.root)

    def open(self) -> Log:
        return Log.open(self.root / "topic-0", limits=self.limits, disk=self.disk, now_us=lambda: self.model.now_us)

    def kill(self) -> None:
        """End the process; its last file gets the time of the last write by the clock of the model."""
        self.disk.crash()
        self.disk.set_modified(self.last_file(), self.model.changed_us[self.model.bases[-1]])

    def open_again(self, *, bytes_cut: int) -> None:
        self.log = self.open()
        assert self.log.recovery.bytes_cut == bytes_cut
        assert bool(self.log.recovery.reason) == bool(bytes_cut)

    def last_file(self) -> Path:
        return self.root / "topic-0" / segment_name(self.model.bases[-1])

    @rule(payloads=payload_lists, encode=encoders)
    def append(self, payloads: list[bytes], encode: Callable[[list[bytes]], bytes]) -> None:
        message_set = encode(payloads)
        plain = encode is encode_message_set
        sizes = tuple(9 + len(payload) for payload in payloads) if plain else (len(message_set),) * bool(payloads)
        part = encode_message_set([b"cut"])[:-1] if payloads else b"\0\0\0"  # left out by the log
        offset = len(self.model.content)
        rolled = self.model.append(message_set, sizes, len(payloads))
        appended = self.log.append(message_set + part)
        assert (appended.offset, appended.next_offset) == (offset, offset + len(message_set))
        assert (appended.sizes, appended.messages) == (sizes, len(payloads))
        assert appended.rolled_base_offset == rolled
        assert appended.flushed == (self.model.flushed == appended.next_offset)

    @rule(payloads=payload_lists, truncate_too=st.booleans())
    def append_is_refused_by_the_disk(self, payloads: list[bytes], truncate_too: bool) -> None:
        if len(self.model.content) - self.model.bases[-1] > self.limits.segment_bytes:
            return  # it would roll first; a rolled segment then stays, which test_log shows
        payloads = [*payloads, b"at least one"]
        self.disk.refuse("append")
        if truncate_too:
            self.disk.refuse("truncate")
        with pytest.raises(StorageFailed):
            self.log.append(encode_message_set(payloads))
        self.disk.allow("append")
        self.disk.allow("truncate")
        if truncate_too:  # half a write stays, and the log refuses appends until it is opened again
            half = encode_message_set(payloads)
            half = half[: len(half) // 2]
            sizes = [end - start for start, end in iterate_lengths(half)]
            self.model.append(half[: sum(sizes)], tuple(sizes), 0)
            self.model.changed_us[self.model.bases[-1]] = self.model.now_us
            self.model.flush()
            self.kill()
            self.open_again(bytes_cut=len(half) - sum(sizes))

    @rule(payloads=payload_lists)
    def append_payloads(self, payloads: list[bytes]) -> None:
        offset = len(self.model.content)
        sizes = tuple(9 + len(payload) for payload in payloads)
        self.model.append(encode_message_set(payloads), sizes, len(payloads))
        assert self.log.append_payloads(payloads) == offset

    @rule(microseconds=st.integers(0, 60))
    def time_passes(self, microseconds: int) -> None:
        self.model.now_us += microseconds

    @rule()
    def delete_old(self) -> None:
        gone = self.model.delete_old()
        assert [segment.base_offset for segment in self.log.delete_old()] == gone

    @rule()
    def flush(self) -> None:
        self.model.flush()
        assert self.log.flush() == self.model.flushed

    @rule(offset=st.integers(-2, 2000), max_bytes=st.integers(0, 300), near_the_end=st.booleans())
    def read(self, offset: int, max_bytes: int, near_the_end: bool) -> None:
        if near_the_end:
            offset = len(self.model.content) - offset % 40
        if self.model.bases[0] <= offset <= self.model.flushed:
            assert self.log.read(offset, max_bytes) == self.model.read(offset, max_bytes)
        else:
            with pytest.raises(OffsetOutOfRange):
                self.log.read(offset, max_bytes)

    @rule()
    def close_and_open(self) -> None:
        self.log.close()
        self.model.flush()
        self.open_again(bytes_cut=0)

    @rule()
    def power_cut(self) -> None:
        lost_bytes = len(self.model.content) - self.model.flushed
        changed_us = self.model.flushed_changed_us[self.model.bases[-1]]
        assert self.log.lose_unflushed() == lost_bytes
        self.model.changed_us[self.model.bases[-1]] = changed_us
        self.model.cut(self.model.flushed)
        self.open_again(bytes_cut=0)

    @rule()
    def process_killed(self) -> None:
        self.kill()
        self.model.flush()
        self.open_again(bytes_cut=0)

    @precondition(lambda self: len(self.model.content) > self.model.flushed)
    @rule(data=st.data())
    def process_killed_in_the_middle_of_a_write(self, data: st.DataObject) -> None:
        self.kill()
        size = data.draw(st.integers(self.model.flushed, len(self.model.content)))
        with self.last_file().open("r+b") as file:
            file.truncate(size - self.model.bases[-1])
        self.disk.set_modified(self.last_file(), self.model.changed_us[self.model.bases[-1]])
        self.model.cut(size)
        self.open_again(bytes_cut=size - len(self.model.content))

    @precondition(lambda self: len(self.model.content) > self.model.bases[-1])
    @rule(data=st.data())
    def byte_of_a_length_is_damaged(self, data: st.DataObject) -> None:
        starts = [self.model.bases[-1], *(end for end in self.model.entry_ends if end > self.model.bases[-1])][:-1]
        start = data.draw(st.sampled_from(starts))
        size = len(self.model.content)
        self.kill()
        with self.last_file().open("r+b") as file:
            file.seek(start - self.model.bases[-1])
            file.write(b"\xff")
        self.model.changed_us[self.model.bases[-1]] = self.model.now_us
        self.model.cut(start)
        self.open_again(bytes_cut=size - start)

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "log"):
            return
        model, log = self.model, self.log
        offsets = log.first_offset, log.flushed_offset, log.next_offset
        assert offsets == (model.bases[0], model.flushed, len(model.content))
        assert log.unflushed_messages == model.unflushed_messages
        assert log.has_unflushed == (model.flushed < len(model.content))
        assert [segment.base_offset for segment in log.segments] == model.bases
        files = [(self.root / "topic-0" / segment.file).read_bytes() for segment in log.segments]
        assert [segment.bytes for segment in log.segments] == [len(file) for file in files]
        assert b"".join(files) == model.content[model.bases[0] :]
        assert sorted(path.name for path in (self.root / "topic-0").iterdir()) == list(map(segment_name, model.bases))
        assert len(self.disk.handles) == 1
        known = [(base, model.changed_us[base]) for base in model.bases]
        if model.flushed > model.bases[-1]:
            known.append((model.flushed, model.now_us))
        for time_us in (LATEST, EARLIEST, model.now_us, model.now_us - 25):
            assert log.offsets_before(time_us, 100) == offsets_before(known, time_us, 100)


TestLogAgainstModel = LogMachine.TestCase
TestLogAgainstModel.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
