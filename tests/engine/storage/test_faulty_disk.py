"""A disk that fails because of a command, a machine that fails by itself, and how a log handles each."""

import errno
import os
from pathlib import Path

import pytest

from engine.errors import MachineFault, StorageFailed
from engine.message.message_set import encode_message_set
from engine.storage.disk import OsDisk
from engine.storage.faulty_disk import FaultyDisk
from engine.storage.log import Log, LogConfig
from tests.support.disks import HandClock

LIMITS = LogConfig(1_000, 1, 1_000)
ENTRY = encode_message_set([b"kept"])


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk(OsDisk(sync=False))


def test_half_of_a_failed_append_is_written(tmp_path: Path, disk: FaultyDisk) -> None:
    handle = disk.open(tmp_path / "file")
    disk.full = True
    with pytest.raises(OSError, match="No space"):
        disk.append(handle, b"0123456789")
    disk.close(handle)
    assert (tmp_path / "file").read_bytes() == b"01234"


def test_a_log_undoes_a_half_written_append_and_continues_when_there_is_room(tmp_path: Path, disk: FaultyDisk) -> None:
    log = Log.open(tmp_path, limits=LIMITS, disk=disk, now_us=HandClock())
    log.append(ENTRY)
    disk.full = True
    with pytest.raises(StorageFailed):
        log.append(ENTRY)
    assert (tmp_path / log.segments[0].file).read_bytes() == ENTRY
    disk.full = False
    assert log.append(ENTRY).offset == len(ENTRY)
    assert log.read(0, 100) == ENTRY * 2


def test_a_log_that_cannot_undo_a_half_written_append_recovers_to_the_last_whole_message(
    tmp_path: Path, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(disk: FaultyDisk, handle: int, size_bytes: int) -> None:
        raise OSError("dead")

    log = Log.open(tmp_path, limits=LIMITS, disk=disk, now_us=HandClock())
    log.append(ENTRY)
    disk.full = True
    with monkeypatch.context() as dying:
        dying.setattr(FaultyDisk, "truncate", refuse)
        with pytest.raises(StorageFailed):
            log.append(ENTRY)
    assert len((tmp_path / log.segments[0].file).read_bytes()) == len(ENTRY) + len(ENTRY) // 2
    disk.full = False
    again = Log.open(tmp_path, limits=LIMITS, disk=disk, now_us=HandClock())
    assert again.recovery.bytes_cut == len(ENTRY) // 2
    assert again.read(0, 100) == ENTRY


def test_an_append_that_fails_halfway_leaves_a_torn_message_that_recovery_cuts(
    tmp_path: Path, disk: FaultyDisk
) -> None:
    log = Log.open(tmp_path, limits=LIMITS, disk=disk, now_us=HandClock())
    log.append(ENTRY)
    disk.fails = "append"
    with pytest.raises(StorageFailed, match="Input/output"):
        log.append(ENTRY * 3)
    log.lose_unflushed()
    assert (tmp_path / log.segments[0].file).read_bytes() == ENTRY + ENTRY[: len(ENTRY) // 2]
    again = Log.open(tmp_path, limits=LIMITS, disk=disk, now_us=HandClock())
    assert again.recovery.bytes_cut == len(ENTRY) // 2
    assert again.read(0, 100) == ENTRY
    disk.fails = ""
    again.append(ENTRY)
    assert again.read(0, 100) == ENTRY * 2


def test_a_flush_fails_only_when_there_is_something_to_flush(tmp_path: Path, disk: FaultyDisk) -> None:
    disk.fails = "flush"
    log = Log.open(tmp_path, limits=LIMITS, disk=disk, now_us=HandClock())
    with pytest.raises(StorageFailed, match="flush"):
        log.append(ENTRY)
    assert log.lose_unflushed() == len(ENTRY)
    assert Log.open(tmp_path, limits=LIMITS, disk=disk, now_us=HandClock()).next_offset == 0


def test_bytes_that_cannot_be_read_are_visible_to_an_observer(tmp_path: Path, disk: FaultyDisk) -> None:
    log = Log.open(tmp_path, limits=LIMITS, disk=disk, now_us=HandClock())
    log.append(ENTRY)
    disk.fails = "read"
    with pytest.raises(StorageFailed, match="read"):
        log.read(0, 100)
    assert log.read_unflushed(0, 100) == ENTRY
    disk.fails = ""
    assert log.read(0, 100) == ENTRY


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOSPC, errno.EROFS])
def test_an_error_of_the_machine_is_never_taken_for_a_fault_of_the_simulated_disk(
    tmp_path: Path, disk: FaultyDisk, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise OSError(number, os.strerror(number))

    limits = LogConfig(10, 1, 1_000)
    log = Log.open(tmp_path, limits=limits, disk=disk, now_us=lambda: 1)
    log.append(ENTRY)
    log.append(ENTRY)
    refused = {
        "scandir": lambda: Log.open(tmp_path, limits=limits, disk=disk, now_us=HandClock()),
        "open": lambda: log.read(0, 100),
        "pread": lambda: log.read(len(ENTRY), 100),
        "ftruncate": log.lose_unflushed,
        "utime": lambda: disk.set_modified(tmp_path, 0),
        "unlink": lambda: disk.remove(tmp_path / log.segments[0].file),
        "write": lambda: disk.append(1, b""),
    }
    for name, act in refused.items():
        with monkeypatch.context() as failing:
            failing.setattr(os, name, refuse)
            with pytest.raises(MachineFault, match=os.strerror(number)):
                act()
