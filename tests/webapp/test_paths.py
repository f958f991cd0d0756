"""Where the data folder, the templates and the static files are."""

from pathlib import Path

import pytest

from webapp.paths import default_data_directory, resource_directory


def test_the_data_folder_follows_xdg(tmp_path: Path) -> None:
    assert default_data_directory({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "offsetscope"


def test_a_relative_xdg_folder_is_ignored_as_the_specification_asks() -> None:
    assert default_data_directory({"XDG_STATE_HOME": "here"}, platform="linux", home="/home/kim") == Path(
        "/home/kim/.local/state/offsetscope"
    )


def test_the_data_folder_is_where_the_platform_keeps_application_data() -> None:
    found = default_data_directory({}, platform="darwin", home="/Users/kim")
    assert found == Path("/Users/kim/Library/Application Support/offsetscope")


@pytest.mark.parametrize("name", ["templates", "static"])
def test_templates_and_static_files_are_found(name: str) -> None:
    assert any(resource_directory(name).iterdir())
