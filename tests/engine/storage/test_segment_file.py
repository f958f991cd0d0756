"""A segment's file when the disk does as it should, and when it does not."""

from pathlib import Path

import pytest

from engine.errors import StorageFailed
from engine.storage.segment_file import SegmentFile
from tests.support.disks import FaultyDisk


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "00000000000000000000.kafka"


def test_what_is_appended_is_read_at_any_position(path: Path, disk: FaultyDisk) -> None:
    file = SegmentFile(path, disk, sealed=False)
    file.append(b"01234")
    file.append(b"56789")
    assert file.size_bytes == 10
    assert file.read(3, 4) == b"3456"
    assert file.read(8, 100) == b"89"
    assert file.read(10, 100) == b""
    assert file.read(0, 0) == b""


def test_an_append_that_the_disk_refuses_leaves_nothing_behind(path: Path, disk: FaultyDisk) -> None:
    file = SegmentFile(path, disk, sealed=False)
    file.append(b"kept")
    disk.refuse("append")
    with pytest.raises(StorageFailed, match=r"append to .*No space left"):
        file.append(b"half of this is written")
    assert path.read_bytes() == b"kept"
    disk.allow("append")
    file.append(b", more")
    assert path.read_bytes() == b"kept, more"


def test_a_file_that_ends_in_a_partial_write_refuses_appends(path: Path, disk: FaultyDisk) -> None:
    file = SegmentFile(path, disk, sealed=False)
    file.append(b"kept")
    disk.refuse("append")
    disk.refuse("truncate")
    with pytest.raises(StorageFailed):
        file.append(b"half")
    disk.allow("append")
    with pytest.raises(StorageFailed, match="partial write"):
        file.append(b"more")
    with pytest.raises(StorageFailed, match="partial write"):
        file.sync()
    assert file.read(0, 100) == b"kept"


def test_a_file_refuses_appends_after_a_failed_flush(path: Path, disk: FaultyDisk) -> None:
    file = SegmentFile(path, disk, sealed=False)
    file.append(b"bytes")
    disk.refuse("sync")
    with pytest.raises(StorageFailed, match="flush"):
        file.sync()
    disk.allow("sync")
    with pytest.raises(StorageFailed, match="may not be on disk"):
        file.sync()
    with pytest.raises(StorageFailed, match="may not be on disk"):
        file.append(b"more")


def test_an_error_names_the_file_and_its_directory_and_not_where_they_are(path: Path, disk: FaultyDisk) -> None:
    disk.refuse("open")
    with pytest.raises(StorageFailed, match="cannot open") as caught:
        SegmentFile(path, disk, sealed=False)
    assert caught.value.fields == {"file": f"{path.parent.name}/{path.name}"}
    assert str(path.parent.parent) not in caught.value.message
    assert not caught.value.definite


@pytest.mark.parametrize("action", ["read", "truncate"])
def test_any_refusal_of_the_disk_is_a_storage_failure(action: str, path: Path, disk: FaultyDisk) -> None:
    file = SegmentFile(path, disk, sealed=False)
    file.append(b"bytes")
    disk.refuse(action)
    with pytest.raises(StorageFailed, match="No space left"):
        file.read(0, 5) if action == "read" else file.truncate(2)


def test_a_file_that_was_shortened_is_a_storage_failure(path: Path, disk: FaultyDisk) -> None:
    file = SegmentFile(path, disk, sealed=False)
    file.append(b"0123456789")
    path.write_bytes(b"0123")
    with pytest.raises(StorageFailed, match="shorter than what was written"):
        file.read(2, 5)


def test_a_short_read_of_the_system_is_continued(path: Path, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    file = SegmentFile(path, disk, sealed=False)
    file.append(b"0123456789")
    read = disk.read
    monkeypatch.setattr(disk, "read", lambda handle, size, position: read(handle, min(size, 3), position))
    assert file.read(1, 8) == b"12345678"


def test_a_sealed_file_is_read_without_keeping_a_handle(path: Path, disk: FaultyDisk) -> None:
    file = SegmentFile(path, disk, sealed=False)
    file.append(b"bytes")
    assert len(disk.handles) == 1
    file.seal()
    file.seal()
    assert not disk.handles
    assert file.read(1, 3) == b"yte"
    disk.refuse("read")
    with pytest.raises(StorageFailed):
        file.read(1, 3)
    assert not disk.handles


def test_a_sealed_file_that_vanished_is_not_created_again(path: Path, disk: FaultyDisk) -> None:
    path.write_bytes(b"bytes")
    file = SegmentFile(path, disk, sealed=True)
    assert file.size_bytes == 5
    path.unlink()
    with pytest.raises(StorageFailed, match="No such file"):
        file.read(0, 5)
    with pytest.raises(StorageFailed, match="No such file"):
        SegmentFile(path, disk, sealed=True)
    assert not path.exists()
