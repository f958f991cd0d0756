"""A disk that is full in the middle of an append, and what a log makes of it."""

from pathlib import Path

import pytest

from engine.errors import StorageFailed
from engine.message.message_set import encode_message_set
from engine.storage.faulty_disk import TroubledDisk
from engine.storage.log import Log, LogConfig

LIMITS = LogConfig(1_000, 1, 1_000)
ENTRY = encode_message_set([b"kept"])


@pytest.fixture
def disk() -> TroubledDisk:
    return TroubledDisk(sync=False)


def test_half_of_an_append_lands_and_the_rest_does_not(tmp_path: Path, disk: TroubledDisk) -> None:
    handle = disk.open(tmp_path / "file")
    disk.full = True
    with pytest.raises(OSError, match="No space"):
        disk.append(handle, b"0123456789")
    disk.close(handle)
    assert (tmp_path / "file").read_bytes() == b"01234"


def test_a_log_undoes_a_half_written_append_and_goes_on_when_there_is_room(tmp_path: Path, disk: TroubledDisk) -> None:
    log = Log.open(tmp_path, limits=LIMITS, disk=disk)
    log.append(ENTRY)
    disk.full = True
    with pytest.raises(StorageFailed):
        log.append(ENTRY)
    assert (tmp_path / log.segments[0].file).read_bytes() == ENTRY
    disk.full = False
    assert log.append(ENTRY).offset == len(ENTRY)
    assert log.read(0, 100) == ENTRY * 2


def test_one_that_dies_before_it_can_undo_it_recovers_to_the_last_whole_message(
    tmp_path: Path, disk: TroubledDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(disk: TroubledDisk, handle: int, size_bytes: int) -> None:
        raise OSError("dead")

    log = Log.open(tmp_path, limits=LIMITS, disk=disk)
    log.append(ENTRY)
    disk.full = True
    with monkeypatch.context() as dying:
        dying.setattr(TroubledDisk, "truncate", refuse)
        with pytest.raises(StorageFailed):
            log.append(ENTRY)
    assert len((tmp_path / log.segments[0].file).read_bytes()) == len(ENTRY) + len(ENTRY) // 2
    disk.full = False
    again = Log.open(tmp_path, limits=LIMITS, disk=disk)
    assert again.recovery.bytes_cut == len(ENTRY) // 2
    assert again.read(0, 100) == ENTRY
