"""The paths of templates and static files, and of the folder that holds the rooms."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def resource_directory(name: str) -> Path:
    """Return the folder ``templates`` or ``static``: inside an installed package, beside it in a checkout."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def default_data_directory(
    environment: Mapping[str, str] = os.environ, *, platform: str = sys.platform, home: Path | str = "~"
) -> Path:
    """Return the default folder for rooms.

    ``$XDG_STATE_HOME/offsetscope`` if that is an absolute path (as the XDG base directory specification requires),
    else ``~/Library/Application Support/offsetscope`` on macOS and ``~/.local/state/offsetscope`` elsewhere.
    """
    state_home = environment.get("XDG_STATE_HOME", "")
    if Path(state_home).is_absolute():
        return Path(state_home) / "offsetscope"
    folder = "Library/Application Support" if platform == "darwin" else ".local/state"
    return Path(home).expanduser() / folder / "offsetscope"
