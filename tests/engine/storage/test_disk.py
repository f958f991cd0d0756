"""The operating system's files, as a log uses them."""

import errno
import fcntl
import os
import stat
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.storage import disk as storage_disk
from engine.storage.disk import OsDisk, open_locked, sync_file
from engine.storage.log import Log
from engine.storage.log_config import LogConfig
from tests.support.disks import HandClock


def test_an_append_continues_after_a_partial_write_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = OsDisk(sync=False)
    handle = disk.open(tmp_path / "file")
    write = os.write
    monkeypatch.setattr(os, "write", lambda where, data: write(where, bytes(data)[:3]))
    disk.append(handle, b"0123456789")
    disk.close(handle)
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_appends_go_to_the_end_of_an_existing_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old ")
    disk = OsDisk(sync=False)
    handle = disk.open(tmp_path / "file")
    disk.append(handle, b"new")
    assert disk.read(handle, 100, 2) == b"d new"
    assert disk.read(handle, 100, 7) == b""
    disk.truncate(handle, 4)
    disk.append(handle, b"newer")
    disk.close(handle)
    assert (tmp_path / "file").read_bytes() == b"old newer"
    assert disk.size(tmp_path / "file") == 9


def test_a_file_opened_for_reading_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        OsDisk(sync=False).open_for_reading(tmp_path / "file")
    assert OsDisk(sync=False).names(tmp_path) == []


@pytest.mark.parametrize(("sync", "expected"), [(True, ["directory"] * 3 + ["file"]), (False, [])])
def test_only_a_disk_with_sync_syncs_files_and_directories(
    sync: bool, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append("directory"))
    monkeypatch.setattr(os, "fdatasync", lambda _: synced.append("file"))
    disk = OsDisk(sync=sync)
    disk.make_directory(tmp_path / "a" / "b")
    handle = disk.open(tmp_path / "a" / "b" / "file")
    disk.append(handle, b"bytes")
    disk.sync(handle)
    disk.close(handle)
    assert synced == expected


def test_the_name_of_a_file_is_synced_only_when_it_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    disk = OsDisk(sync=True)
    disk.close(disk.open(tmp_path / "file"))
    disk.close(disk.open(tmp_path / "file"))
    assert len(synced) == 1


def test_the_name_of_a_file_that_was_removed_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = OsDisk(sync=True)
    disk.close(disk.open(tmp_path / "file"))
    synced: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append((str(name_of(handle)), disk.names(tmp_path))))
    disk.remove(tmp_path / "file")
    assert synced == [(str(tmp_path), [])]


def name_of(handle: int) -> Path:
    return Path(f"/proc/self/fd/{handle}").readlink()


# --- other systems --------------------------------------------------------------------------------------------------


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[int]:
    opened = OsDisk(sync=False).open(tmp_path / "file")
    yield opened
    os.close(opened)


def refusal(code: int) -> OSError:
    return OSError(code, os.strerror(code))


def test_without_fdatasync_a_file_is_synced_with_fsync(handle: int, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.delattr(os, "fdatasync")
    monkeypatch.setattr(os, "fsync", synced.append)
    OsDisk(sync=True).sync(handle)
    assert synced == [handle]
    OsDisk(sync=False).sync(handle)
    assert synced == [handle]


@pytest.mark.parametrize("without_fdatasync", [True, False])
def test_where_fsync_stops_at_the_drive_the_drive_s_cache_is_flushed_too(
    without_fdatasync: bool, tmp_path: Path, handle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    if without_fdatasync:
        monkeypatch.delattr(os, "fdatasync")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda *arguments: asked.append(arguments))
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("not enough"))
    OsDisk(sync=True).sync(handle)
    assert asked == [(handle, 51)]
    OsDisk(sync=True).remove(tmp_path / "file")
    assert [code for _, code in asked] == [51, 51]


@pytest.mark.parametrize("code", [errno.ENOTSUP, errno.ENOTTY, errno.EINVAL])
def test_a_file_system_that_cannot_flush_the_cache_is_synced_with_fsync(
    code: int, handle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def refuse(*_: object) -> None:
        raise refusal(code)

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", refuse)
    monkeypatch.setattr(os, "fsync", synced.append)
    sync_file(handle)
    assert synced == [handle]


def test_a_failure_to_flush_the_cache_is_raised(handle: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise refusal(errno.EIO)

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", refuse)
    with pytest.raises(OSError, match="Input/output"):
        sync_file(handle)


def test_without_pread_bytes_are_read_from_any_position_and_appends_go_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pread")
    disk = OsDisk(sync=False)
    handle = disk.open(tmp_path / "file")
    disk.append(handle, b"0123456789")
    assert disk.read(handle, 3, 2) == b"234"
    disk.append(handle, b"ab")
    assert disk.read(handle, 100, 8) == b"89ab"
    assert disk.read(handle, 100, 12) == b""
    disk.truncate(handle, 1)
    disk.append(handle, b"x")
    disk.close(handle)
    assert (tmp_path / "file").read_bytes() == b"0x"


def test_files_are_opened_as_binary_where_the_system_distinguishes_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    asked: list[int] = []
    monkeypatch.setattr(os, "O_BINARY", 1 << 30, raising=False)
    monkeypatch.setattr(os, "open", lambda path, flags, mode=0o777: asked.append(flags) or -1)
    OsDisk(sync=False).open(tmp_path / "file")
    OsDisk(sync=False).open_for_reading(tmp_path / "file")
    assert [flags & 1 << 30 for flags in asked] == [1 << 30] * 2


@pytest.mark.parametrize("code", [errno.EACCES, errno.EISDIR])
def test_files_are_created_and_removed_where_directories_cannot_be_opened(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_open = os.open

    def open_no_directory(path: Path, flags: int, mode: int = 0o777) -> int:
        if Path(path).is_dir():
            raise refusal(code)
        return really_open(path, flags, mode)

    monkeypatch.setattr(os, "open", open_no_directory)
    disk = OsDisk(sync=True)
    disk.close(disk.open(tmp_path / "file"))
    assert disk.names(tmp_path) == ["file"]
    disk.remove(tmp_path / "file")
    assert disk.names(tmp_path) == []


@pytest.mark.parametrize(("code", "is_said"), [(errno.EINVAL, False), (errno.EBADF, False), (errno.EIO, True)])
def test_a_failed_directory_sync_is_an_error_unless_the_system_supports_none(
    code: int, is_said: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handles = set(Path("/proc/self/fd").iterdir())

    def refuse(_: int) -> None:
        raise refusal(code)

    disk = OsDisk(sync=True)
    (tmp_path / "file").touch()
    monkeypatch.setattr(os, "fsync", refuse)
    if is_said:
        with pytest.raises(OSError, match="Input/output"):
            disk.remove(tmp_path / "file")
    else:
        disk.remove(tmp_path / "file")
    assert set(Path("/proc/self/fd").iterdir()) == handles


class Locking(types.ModuleType):
    """A stand-in for the module ``msvcrt`` that uses the locks of this system."""

    LK_NBLCK = 2

    def locking(self, handle: int, mode: int, size_bytes: int) -> None:
        assert (mode, size_bytes) == (self.LK_NBLCK, 1)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PermissionError(errno.EACCES, "Permission denied") from error


@pytest.mark.parametrize("has_fcntl", [True, False])
def test_a_file_lock_is_exclusive_until_its_handle_is_closed(
    has_fcntl: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_fcntl:
        monkeypatch.setattr(storage_disk, "_fcntl", types.ModuleType("fcntl"))
        monkeypatch.setattr(storage_disk, "_msvcrt", Locking("msvcrt"))
    first = open_locked(tmp_path / "lock")
    handles = set(Path("/proc/self/fd").iterdir())
    with pytest.raises(BlockingIOError):
        open_locked(tmp_path / "lock")
    assert set(Path("/proc/self/fd").iterdir()) == handles
    os.close(first)
    os.close(open_locked(tmp_path / "lock"))


def test_without_any_locks_a_file_is_opened_unlocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_disk, "_fcntl", types.ModuleType("fcntl"))
    os.close(open_locked(tmp_path / "lock"))
    assert (tmp_path / "lock").exists()


@pytest.fixture
def synced_directories(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, list[str]]]:
    """Record every directory that is synced: its inode, and the names in it at that moment."""
    found: list[tuple[int, list[str]]] = []

    def fsync(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            found.append((os.fstat(handle).st_ino, sorted(os.listdir(handle))))

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "fdatasync", lambda _: None)
    return found


def test_a_removed_file_is_gone_from_the_directory_on_disk(
    tmp_path: Path, synced_directories: list[tuple[int, list[str]]]
) -> None:
    disk = OsDisk(sync=True)
    for name in ("kept", "removed", "removed too"):
        (tmp_path / name).touch()
    disk.remove(tmp_path / "removed")
    assert synced_directories == [(tmp_path.stat().st_ino, ["kept", "removed too"])]
    disk.remove(tmp_path / "removed too")
    assert synced_directories[1:] == [(tmp_path.stat().st_ino, ["kept"])]


def test_a_new_directory_is_synced_in_its_parent(
    tmp_path: Path, synced_directories: list[tuple[int, list[str]]]
) -> None:
    disk = OsDisk(sync=True)
    disk.make_directory(tmp_path / "logs" / "topic-0")
    made = [((tmp_path / "logs").stat().st_ino, ["topic-0"]), (tmp_path.stat().st_ino, ["logs"])]
    assert synced_directories == made
    disk.make_directory(tmp_path / "logs" / "topic-0")
    assert synced_directories == made


def test_every_segment_that_a_log_creates_or_removes_is_synced_in_the_directory(
    tmp_path: Path, synced_directories: list[tuple[int, list[str]]]
) -> None:
    limits = LogConfig(10, 1, 1000, retention_bytes=0)
    log = Log.open(tmp_path, limits=limits, disk=OsDisk(sync=True), now_us=HandClock())
    names = []
    for _ in range(3):
        log.append_payloads([b"over the limit"])
        names.append(log.segments[-1].file)
        assert synced_directories[-1] == (tmp_path.stat().st_ino, names)
    assert len(log.delete_old()) == 3
    (left,) = log.segments
    assert synced_directories[-1] == (tmp_path.stat().st_ino, [left.file])
    log.close()
