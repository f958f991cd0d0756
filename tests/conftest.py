"""What all tests share: which browser the page is driven in."""

import os
from typing import Any

import pytest

from tests.support.chromium import NoChromium, find_chromium


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch the Chromium of this machine, quiet about everything but the page (no look-ups of its own)."""
    try:
        executable = find_chromium()
    except NoChromium as fault:
        pytest.fail(str(fault), pytrace=False)
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    return {**browser_type_launch_args, "executable_path": str(executable), "args": quiet}


def pytest_xdist_auto_num_workers() -> int:
    """Return one more than there are processors: a test that waits for a page leaves its processor to others."""
    return (os.cpu_count() or 1) + 1
