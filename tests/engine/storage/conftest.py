"""A disk that can fail, and a log on it."""

from pathlib import Path

import pytest

from engine.storage.log import Log
from tests.support.disks import FaultyDisk
from tests.support.logs import MAGIC_1_42, open_log


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


@pytest.fixture
def twenty_messages(tmp_path: Path, disk: FaultyDisk) -> Log:
    log = open_log(tmp_path, disk, segment_bytes=100)
    for _ in range(20):
        log.append(MAGIC_1_42)
    return log
