"""``python -m docs.screenshots`` takes every state of the stage at every size and in every theme, to be looked at.

The pictures of one state show one room whose time stands (unless the state is about haste), so they differ in size and
theme alone. ``--state``, ``--size`` and ``--theme`` narrow it down.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from docs.screenshots.room import Room
from docs.screenshots.states import STATES, State

ROOT = Path(__file__).resolve().parents[2]
SIZES = ("390x844", "1280x720", "1440x900", "1920x1080")
THEMES = ("light", "dark", "projector")


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the pictures that are asked for; returns the exit code."""
    options = _parser().parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    with _server() as base_url, sync_playwright() as playwright:
        chromium = os.environ.get("OFFSETSCOPE_CHROMIUM") or None
        browser = playwright.chromium.launch(executable_path=chromium)
        for name in options.state or STATES:
            for file in _take(browser, base_url, name, options):
                sys.stdout.write(f"{file}\n")
        browser.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m docs.screenshots", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "screenshots", help="where to (default %(default)s)")
    parser.add_argument("--state", action="append", choices=STATES, help="only this state (may be repeated)")
    parser.add_argument("--size", action="append", help=f"only this size (default {', '.join(SIZES)})")
    parser.add_argument("--theme", action="append", choices=THEMES, help="only this theme")
    return parser


def _take(browser: Browser, base_url: str, name: str, options: argparse.Namespace) -> Iterator[Path]:
    state = STATES[name]
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    room = Room.make(base_url, context.new_page(), state.scenario)
    state.bring_about(room)
    for theme in options.theme or THEMES:
        for size in options.size or SIZES:
            width, height = (int(number) for number in size.split("x"))
            room.page.set_viewport_size({"width": width, "height": height})
            _show(room, state, theme)
            file = options.folder / f"{name}-{size}-{theme}.png"
            room.page.screenshot(path=file)
            yield file
    context.close()


def _show(room: Room, state: State, theme: str) -> None:
    address = f"{room.base_url}{state.path}" if state.path else room.address
    room.page.goto(f"{address}?theme={theme}")
    if room.page.locator("[data-stage]").count():
        room.caught_up()
        state.in_page(room)


@contextmanager
def _server() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "webapp", "serve", "--port", "0", "--data-dir", folder]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            found = re.search(r"http://\S+?:\d+", process.stdout.readline() if process.stdout else "")
            if not found:
                raise SystemExit("the server did not start")
            yield found.group(0)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=10)


if __name__ == "__main__":
    sys.exit(main())
