"""All logs of a broker: found, flushed by time, cleaned, closed."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

import pytest

from engine.broker.clean_shutdown import MARK_NAME
from engine.errors import InvalidName, StorageFailed, UnknownPartition
from engine.ids import TopicPartition
from engine.message.message_set import encode_message_set
from engine.tcp.data_folder import is_directory_name
from engine.tcp.faults import DataFolderUnusable
from engine.tcp.partition_logs import PartitionLogs
from engine.tcp.settings import BrokerSettings
from tests.support.disks import FaultyDisk

ENTRY = encode_message_set([b"12345"])
A0 = TopicPartition("a", 0)
DAY_S = 86_400


class HandClock:
    """A clock whose seconds pass when a test moves it."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class Folder:
    """A data folder that is opened, left and opened again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = HandClock()
        self.disk = FaultyDisk()
        self.opened: list[PartitionLogs] = []

    def open(self, **settings: int) -> PartitionLogs:
        chosen = BrokerSettings(self.path, **settings)
        self.opened.append(PartitionLogs.open(chosen, disk=self.disk, clock=self.clock))
        return self.opened[-1]

    def crash(self) -> None:
        """Leave everything as it is, except the lock."""
        self.disk.crash()
        self.opened.pop()._folder.close()

    def file(self, name: str, base_offset: int = 0) -> Path:
        return self.path / name / f"{base_offset:020d}.kafka"


@pytest.fixture
def folder(data_dir: Path) -> Iterator[Folder]:
    made = Folder(data_dir)
    yield made
    for logs in made.opened:
        logs.close()


# --- finding --------------------------------------------------------------------------------------------------------


def test_every_log_in_the_folder_is_found_and_nothing_else(folder: Folder) -> None:
    logs = folder.open(partitions=2)
    logs.append(A0, ENTRY)
    logs.append(TopicPartition("with-dashes", 1), ENTRY)
    logs.close()
    folder.opened.clear()
    for name in (
        "lost+found",
        "a-01",
        "notes",
        "b-\u0661",
        "-3",
        ".-0",
        "..-0",
        "c--1",
        b"caf\xe9-0".decode(errors="surrogateescape"),
    ):
        (folder.path / name).mkdir()
    (folder.path / "c-0").write_text("a file")
    again = folder.open(partitions=2)
    assert again.get(A0).next_offset == 14
    assert again.get(TopicPartition("with-dashes", 1)).next_offset == 14
    assert sorted(map(str, again._logs)) == ["a-0", "c--1", "with-dashes-1"]


def test_names_are_checked_before_anything_is_created(folder: Folder) -> None:
    logs = folder.open(partitions=2)
    assert logs.checked("a", 1) == TopicPartition("a", 1)
    for number in (-1, 2):
        with pytest.raises(UnknownPartition):
            logs.checked("a", number)
    with pytest.raises(InvalidName):
        logs.checked("", 0)
    with pytest.raises(InvalidName):
        logs.append(TopicPartition("../a", 0), ENTRY)
    assert sorted(path.name for path in folder.path.parent.rglob("*")) == [".lock", "logs"]


@pytest.mark.parametrize("topic", ["a\\b", "..\\b", "c:b", "d:b", "\\\\server\\share\\b", "c:\\b", "a/b"])
def test_names_that_lead_out_of_the_folder_on_windows_are_refused(topic: str) -> None:
    assert not is_directory_name(PureWindowsPath("d:/logs"), TopicPartition(topic, 0))
    assert is_directory_name(PureWindowsPath("d:/logs"), TopicPartition("a b", 0))


def test_a_name_that_the_system_cannot_write_is_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = folder.open()
    monkeypatch.setattr(os, "fsencode", lambda name: name.encode("latin-1"))
    with pytest.raises(InvalidName):
        logs.append(TopicPartition("日本", 0), ENTRY)
    logs.append(TopicPartition("ä", 0), ENTRY)


def test_two_spellings_that_are_one_directory_are_not_two_logs(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = folder.open()
    logs.append(A0, ENTRY)
    with monkeypatch.context() as system:  # as on macOS and Windows
        there = {path.name for path in folder.path.iterdir()}
        system.setattr(Path, "is_dir", lambda path: path.name.lower() in there)
        with pytest.raises(InvalidName, match="spelling"):
            logs.append(TopicPartition("A", 0), ENTRY)
        logs.append(TopicPartition("b", 0), ENTRY)
    assert logs.get(A0).next_offset == 14


def test_a_log_can_be_created_in_a_directory_that_was_left_without_a_file(folder: Folder) -> None:
    logs = folder.open()
    folder.disk.refuse("open")
    with pytest.raises(StorageFailed):
        logs.append(A0, ENTRY)
    assert (folder.path / "a-0").is_dir()
    folder.disk.allow("open")
    logs.append(A0, ENTRY)
    assert logs.get(A0).next_offset == 14


def test_the_name_of_a_topic_cannot_forge_a_line_in_the_log(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    logs = folder.open()
    logs.append(TopicPartition("a\nERROR b\x1b[31m", 0), ENTRY)
    folder.clock.now_s += 10
    folder.disk.refuse("sync")
    logs.do_what_is_due()
    assert "a·ERROR b·[31m-0: cannot flush" in caplog.text
    folder.opened.clear()
    with pytest.raises(StorageFailed):
        logs.close()


def test_a_folder_is_used_by_one_broker_at_a_time(folder: Folder) -> None:
    folder.open()
    with pytest.raises(DataFolderUnusable, match="another broker"):
        folder.open()
    folder.opened.pop().close()
    folder.open()


# --- flushing by time -----------------------------------------------------------------------------------------------


def test_a_message_is_visible_at_the_latest_after_the_flush_interval(folder: Folder) -> None:
    # case 23
    logs = folder.open(flush_ms=3_000)
    logs.append(A0, ENTRY)
    folder.clock.now_s += 1
    logs.append(A0, ENTRY)
    assert logs.due_s == 1_003.0
    folder.clock.now_s = 1_002.9
    logs.do_what_is_due()
    assert logs.get(A0).flushed_offset == 0
    folder.clock.now_s = 1_003.0
    logs.do_what_is_due()
    assert logs.get(A0).flushed_offset == 28
    assert logs.due_s == 1_060.0  # only the retention check is due


def test_a_flush_by_count_or_by_a_roll_postpones_the_next_one(folder: Folder) -> None:
    logs = folder.open(flush_ms=3_000, flush_messages=2, segment_bytes=40)
    logs.append(A0, ENTRY)
    folder.clock.now_s += 1
    logs.append(A0, ENTRY)
    assert logs.due_s == 1_060.0
    logs.append(A0, ENTRY)
    assert logs.due_s == 1_004.0
    folder.clock.now_s += 1
    logs.append(A0, ENTRY)
    assert [segment.base_offset for segment in logs.get(A0).segments] == [0, 42]
    assert logs.due_s == 1_005.0


def test_a_failed_flush_of_one_log_does_not_keep_another_from_its_flush(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    logs = folder.open()
    for topic in ("a", "b"):
        logs.append(TopicPartition(topic, 0), ENTRY)
    folder.clock.now_s += 10
    folder.disk.refuse("sync")
    logs.do_what_is_due()
    assert "a-0: cannot flush" in caplog.text
    assert "b-0: cannot flush" in caplog.text
    folder.opened.clear()
    with pytest.raises(StorageFailed):
        logs.close()
    assert not (folder.path / MARK_NAME).exists()


# --- cleaning -------------------------------------------------------------------------------------------------------


def test_segments_that_are_too_old_are_removed_at_the_next_retention_check(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    # case 31; the edge itself is the log's own test
    caplog.set_level(logging.INFO)
    settings = {"segment_bytes": 10, "flush_messages": 1, "retention_hours": 168}
    for _ in range(3):
        folder.open(**settings).append(A0, ENTRY)
        folder.opened.pop().close()
    old_s = folder.file("a-0").stat().st_mtime - 8 * DAY_S
    os.utime(folder.file("a-0"), (old_s, old_s))
    logs = folder.open(**settings)
    logs.do_what_is_due()
    assert logs.get(A0).first_offset == 0
    folder.clock.now_s += 60
    logs.do_what_is_due()
    assert logs.get(A0).first_offset == 14
    assert not folder.file("a-0").exists()
    assert "a-0: removed 00000000000000000000.kafka" in caplog.text
    assert logs.due_s == 1_660.0


# --- stopping and starting ------------------------------------------------------------------------------------------


def test_logs_that_were_closed_cleanly_are_not_checked_again(folder: Folder) -> None:
    # case 27
    logs = folder.open()
    logs.append(A0, ENTRY * 2)
    folder.opened.pop().close()
    assert (folder.path / MARK_NAME).exists()
    damaged = bytearray(folder.file("a-0").read_bytes())
    damaged[13] ^= 1
    folder.file("a-0").write_bytes(damaged)
    again = folder.open()
    assert again.get(A0).flushed_offset == 28
    assert not (folder.path / MARK_NAME).exists()


def test_logs_that_were_not_closed_cleanly_are_cut_where_they_are_damaged(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    # case 26
    logs = folder.open()
    logs.append(A0, ENTRY * 3)
    folder.crash()
    damaged = bytearray(folder.file("a-0").read_bytes())
    damaged[27] ^= 1
    folder.file("a-0").write_bytes(damaged)
    again = folder.open()
    assert again.get(A0).flushed_offset == 14
    assert "a-0: truncated by 28 bytes" in caplog.text


def test_a_log_that_does_not_open_leaves_the_folder_unlocked(folder: Folder) -> None:
    logs = folder.open()
    logs.append(A0, ENTRY)
    folder.crash()
    folder.disk.refuse("open")
    with pytest.raises(StorageFailed, match="a-0"):
        folder.open()
    folder.disk.allow("open")
    assert folder.open().get(A0).flushed_offset == 14
