"""Where the browser of the tests is: one finder, for the Makefile and for pytest.

``python -m tests.support.chromium`` prints the path; ``--install`` first installs a Chromium where there is none.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE = "OFFSETSCOPE_CHROMIUM"


class NoChromium(Exception):
    """There is no Chromium, and none could be installed."""


def find_chromium() -> Path:
    """Return the executable: the one that the environment names, else a system one, else Playwright's own.

    Raises NoChromium when there is none, or when the environment names a file that is not there.
    """
    named = os.environ.get(VARIABLE)
    if named:
        if not Path(named).is_file():
            raise NoChromium(f"{VARIABLE} names {named}, which is not a file")
        return Path(named)
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    brought = playwright_chromium()
    if brought.is_file():
        return brought
    raise NoChromium(f"no Chromium here: install one (make test does), or name yours in {VARIABLE}")


def playwright_chromium() -> Path:
    """Return where Playwright would put a Chromium of its own; the file need not be there."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # slow to import, and seldom needed

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def install_chromium() -> None:
    """Install a Chromium: the system's package where we may, else Playwright's download.

    Raises NoChromium when neither can be had.
    """
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        attempts.insert(0, ["sh", "-c", "apt-get -qq update && apt-get -qq install -y chromium"])
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for attempt in attempts:
        if subprocess.run(attempt, env=environment, stdout=sys.stderr, check=False).returncode == 0:
            return
    raise NoChromium(f"no Chromium could be installed: install one yourself, or name it in {VARIABLE}")


def main(arguments: list[str]) -> int:
    """Print the path of a Chromium; exit code 2 and one line where there is none."""
    try:
        try:
            executable = find_chromium()
        except NoChromium:
            if "--install" not in arguments or os.environ.get(VARIABLE):
                raise
            print("Installing Chromium for the browser tests (once)", file=sys.stderr)
            install_chromium()
            executable = find_chromium()
    except NoChromium as fault:
        print(fault, file=sys.stderr)
        return 2
    print(executable)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
