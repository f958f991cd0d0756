"""The command log: the durable record of the commands of a room."""

from pathlib import Path

import pytest

from engine.message.format import MAGIC_0_OVERHEAD_BYTES
from engine.message.message_set import encode_message_set
from engine.storage.disk import OsDisk
from engine.storage.log import Log
from engine.storage.log_config import NEVER_BY_COUNT, LogConfig
from tests.support.disks import HandClock
from webapp.room.command_log import CommandLog, LoggedCommand

SENT = [
    LoggedCommand(0, {"command": "produce", "records": [{"key": "é", "value": "\ud800"}]}),
    LoggedCommand(5, {"command": "clock", "action": "speed", "speed": 0.1}),
]


class SyncCounter(OsDisk):
    """A disk that counts its syncs, and notes how much had been written at each."""

    def __init__(self) -> None:
        super().__init__(sync=True)
        self.synced_bytes = 0
        self.written_bytes = 0

    def append(self, handle: int, data: bytes) -> None:
        super().append(handle, data)
        self.written_bytes += len(data)

    def sync(self, handle: int) -> None:
        super().sync(handle)
        self.synced_bytes = self.written_bytes


def write(directory: Path, payloads: list[bytes]) -> None:
    limits = LogConfig(1 << 20, NEVER_BY_COUNT, 1 << 20)
    log = Log.open(directory, limits=limits, disk=OsDisk(sync=False), now_us=HandClock())
    log.append(encode_message_set(payloads))
    log.close()


def test_commands_are_read_back_as_they_were_appended(tmp_path: Path) -> None:
    log = CommandLog.open(tmp_path, now_us=HandClock())
    log.append(SENT[:1])
    log.append(SENT[1:])
    log.close()
    again = CommandLog.open(tmp_path, now_us=HandClock())
    assert list(again) == SENT
    assert [one.offset for one in again] == [0, again.size_bytes - len(SENT[1].encode()) - MAGIC_0_OVERHEAD_BYTES]
    again.close()


def test_an_append_is_synced_to_disk_before_it_returns(tmp_path: Path) -> None:
    disk = SyncCounter()
    log = CommandLog.open(tmp_path, disk=disk, now_us=HandClock())
    log.append(SENT)
    assert disk.synced_bytes == disk.written_bytes == log.size_bytes > 0
    log.close()


def test_a_torn_end_is_truncated_and_complete_commands_are_kept(tmp_path: Path) -> None:
    log = CommandLog.open(tmp_path, now_us=HandClock())
    log.append(SENT)
    log.close()
    (file,) = tmp_path.iterdir()
    with file.open("ab") as opened:
        opened.write(b"\0\0\0\x63\0torn")
    again = CommandLog.open(tmp_path, now_us=HandClock())
    assert again.bytes_cut == 9
    assert list(again) == SENT
    again.close()


@pytest.mark.parametrize("payload", [b"not JSON", b"[]", b'{"at_us":1}', b'{"at_us":1,"command":[]}', b"{}"])
def test_a_payload_that_is_not_a_command_is_reported_with_its_offset(tmp_path: Path, payload: bytes) -> None:
    write(tmp_path, [SENT[1].encode(), payload])
    log = CommandLog.open(tmp_path, now_us=HandClock())
    (damage,) = log.damages
    assert damage.fields["offset"] == 9 + len(SENT[1].encode())
    assert list(log) == [SENT[1]]
    log.close()


# --- damage and torn ends -------------------------------------------------------------------------------------------

THREE = [LoggedCommand(at_us, {"command": "produce", "count": at_us + 1}) for at_us in range(3)]
ENTRY_BYTES = MAGIC_0_OVERHEAD_BYTES + len(THREE[0].encode())


def write_three(directory: Path) -> Path:
    log = CommandLog.open(directory, now_us=HandClock())
    log.append(THREE)
    log.close()
    (file,) = directory.iterdir()
    return file


@pytest.mark.parametrize("change", [0x00, 0x01, 0x80, 0xFF])
def test_a_changed_byte_loses_only_what_follows_and_the_files_stay_unchanged(tmp_path: Path, change: int) -> None:
    file = write_three(tmp_path)
    whole = file.read_bytes()
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] = 0 if change == 0 else changed[position] ^ change
        if changed == whole:
            continue
        file.write_bytes(changed)
        log = CommandLog.open(tmp_path, now_us=HandClock())
        assert list(log) == THREE[: position // ENTRY_BYTES], position
        assert [damage.fields["offset"] for damage in log.damages] == [position // ENTRY_BYTES * ENTRY_BYTES]
        log.close()
        assert file.read_bytes() == changed


@pytest.mark.parametrize("zeros", [0, 2, 700])
def test_an_interrupted_write_is_truncated_wherever_it_was_interrupted(tmp_path: Path, zeros: int) -> None:
    file = write_three(tmp_path)
    whole = file.read_bytes()
    for written_bytes in range(len(whole)):
        file.write_bytes(whole[:written_bytes] + bytes(zeros))
        log = CommandLog.open(tmp_path, now_us=HandClock())
        assert list(log) == THREE[: written_bytes // ENTRY_BYTES]
        log.append(THREE[:1])
        assert list(log)[-1] == THREE[0]
        log.close()


def test_damage_before_a_torn_end_is_reported(tmp_path: Path) -> None:
    file = write_three(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:-4].replace(b'"count":2', b'"count":7'))
    log = CommandLog.open(tmp_path, now_us=HandClock())
    assert list(log) == THREE[:1]
    assert log.damages
    log.close()


def test_damage_in_a_file_before_the_last_one_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.room.command_log.SEGMENT_BYTES", 1)
    log = CommandLog.open(tmp_path, now_us=HandClock())
    for one in THREE:
        log.append([one])
    log.close()
    first, second, _ = sorted(tmp_path.iterdir())
    second.write_bytes(second.read_bytes()[:-1] + b"x")
    log = CommandLog.open(tmp_path, now_us=HandClock())
    assert list(log) == THREE[:1]
    assert [damage.fields["offset"] for damage in log.damages] == [first.stat().st_size]
    log.close()


def test_a_command_log_is_read_in_portions(tmp_path: Path) -> None:
    sizes = [10, 700_000, 700_000, 1_500_000, 20, 3_000_000, 5]
    sent = [LoggedCommand(size, {"command": "produce", "value": "x" * size}) for size in sizes]
    log = CommandLog.open(tmp_path, now_us=HandClock())
    log.append(sent)
    assert list(log) == sent
    first, next_offset = log.read(0)
    assert 1 <= len(first) < len(sent)
    assert log.read(next_offset)[0][0] == sent[len(first)]
    assert log.read(log.size_bytes) == ([], log.size_bytes)
    log.close()
