"""The room's package by itself: it runs wherever Python runs, in a browser too."""

import subprocess
import sys

from tests.webapp.support import ROOT

IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import webapp.room
for module in pkgutil.walk_packages(webapp.room.__path__, "webapp.room."):
    importlib.import_module(module.name)
own = {name for name in sys.modules if name.partition(".")[0] in ("webapp", "engine")}
foreign = {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names - {"webapp", "engine", "__main__"}
print(len([name for name in own if name.startswith("webapp.room.")]), sorted(foreign), "socket" in sys.modules)
"""


def test_the_room_is_imported_with_the_standard_library_alone() -> None:
    """``-I -S``: no site packages; so no module of Flask could be found."""
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", IMPORT_ALL, str(ROOT)], capture_output=True, text=True, check=True
    )
    modules = len([path for path in (ROOT / "webapp" / "room").glob("*.py") if path.stem != "__init__"])
    assert run.stdout.split("\n")[0] == f"{modules} [] False"
