"""The operating system's files, as a log uses them."""

import os
from pathlib import Path

import pytest

from engine.storage.disk import OsDisk


def test_an_append_goes_on_where_the_system_stopped_halfway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = OsDisk(sync=False)
    handle = disk.open(tmp_path / "file")
    write = os.write
    monkeypatch.setattr(os, "write", lambda where, data: write(where, bytes(data)[:3]))
    disk.append(handle, b"0123456789")
    disk.close(handle)
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_appends_go_to_the_end_of_what_is_there(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(("sync", "expected"), [(True, ["directory", "file"]), (False, [])])
def test_only_a_disk_that_syncs_waits_for_the_platter(
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
