"""The folder that holds the rooms."""

from pathlib import Path

import pytest

from webapp.errors import DataDirectoryUnusable
from webapp.house.data_directory import DataDirectory

ROOM = "aaaabbbbcccc"


def test_two_servers_cannot_use_one_data_folder(tmp_path: Path) -> None:
    first = DataDirectory.open(tmp_path)
    with pytest.raises(DataDirectoryUnusable, match="another server uses it"):
        DataDirectory.open(tmp_path)
    first.close()
    DataDirectory.open(tmp_path).close()


def test_a_data_folder_that_cannot_be_created_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataDirectoryUnusable) as refused:
        DataDirectory.open(tmp_path / "file" / "data")
    assert str(tmp_path / "file" / "data") in refused.value.message
    assert "--data-dir" in refused.value.remedy


def test_half_created_and_half_deleted_rooms_are_removed_at_the_start(tmp_path: Path) -> None:
    rooms = tmp_path / "rooms"
    (rooms / ROOM / "commands").mkdir(parents=True)
    (rooms / f"doomed-{ROOM}" / "journal").mkdir(parents=True)
    whole = rooms / "ddddeeeeffff"
    whole.mkdir()
    (whole / "room.json").write_text("{}")
    (rooms / "somebody's notes").mkdir()
    directory = DataDirectory.open(tmp_path)
    assert directory.rooms() == ["ddddeeeeffff"]
    assert sorted(path.name for path in rooms.iterdir()) == ["ddddeeeeffff", "somebody's notes"]
    directory.close()


def test_a_deleted_room_is_no_longer_listed(tmp_path: Path) -> None:
    directory = DataDirectory.open(tmp_path)
    (directory.room(ROOM) / "journal").mkdir(parents=True)
    directory.delete(ROOM)
    assert list((tmp_path / "rooms").iterdir()) == []
    directory.close()


def test_a_room_that_cannot_be_renamed_is_deleted_and_its_remains_are_removed_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows while one of its files is being downloaded."""
    directory = DataDirectory.open(tmp_path)
    for room in (ROOM, "ddddeeeeffff"):
        directory.room(room).mkdir()
        (directory.room(room) / "room.json").write_text("{}")
        (directory.room(room) / "journal").write_text("is read")

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "is used by another process")

    with monkeypatch.context() as windows:
        windows.setattr(Path, "rename", refuse)
        windows.setattr("webapp.house.data_directory.shutil.rmtree", lambda path, ignore_errors: None)
        directory.delete(ROOM)
    assert directory.rooms() == ["ddddeeeeffff"]
    directory.close()
    DataDirectory.open(tmp_path).close()
    assert [path.name for path in (tmp_path / "rooms").iterdir()] == ["ddddeeeeffff"]
