"""Small files replaced atomically, and the sizes of folders."""

from pathlib import Path

import pytest

from tests.webapp.support import HandClock
from webapp.room.files import WEIGH_EVERY_CHANGES, WEIGH_EVERY_US, FolderWeight, bytes_on_disk, write_atomically


def test_a_file_is_replaced_atomically(tmp_path: Path) -> None:
    path = tmp_path / "room.json"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "room.json"
    write_atomically(path, b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("webapp.room.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"12345")
    (tmp_path / "a" / "b" / "two").write_bytes(b"123")
    assert bytes_on_disk(tmp_path) == 8
    assert bytes_on_disk(tmp_path / "nothing") == 0


def test_a_folder_is_measured_again_after_enough_changes_or_enough_time(tmp_path: Path) -> None:
    clock = HandClock()
    weight = FolderWeight(tmp_path, wall_us=clock)
    (tmp_path / "file").write_bytes(b"12345")
    weight.weigh_after(WEIGH_EVERY_CHANGES - 1)
    assert weight.bytes == 0
    weight.weigh_after(1)
    assert weight.bytes == 5
    (tmp_path / "file").write_bytes(b"123")
    clock.pass_ms(WEIGH_EVERY_US // 1_000)
    weight.weigh_after(0)
    assert weight.bytes == 5
    clock.pass_ms(1)
    weight.weigh_after(0)
    assert weight.bytes == 3
