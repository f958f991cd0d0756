"""The engine on a Python that lacks what it lacks on macOS or Windows: real logs, and a whole cluster."""

from pathlib import Path

import pytest

from tests.support.other_systems import run_on

LOGS = """
import sys
from pathlib import Path
from engine.errors import OffsetOutOfRange
from engine.broker.clean_shutdown import leave_mark, take_mark
from engine.storage.disk import OsDisk
from engine.storage.log_config import LogConfig
from engine.storage.log import Log

folder = Path(sys.argv[1])
now_us = 1_000_000
limits = LogConfig(100, 1, 1_000_000, retention_us=500_000)

def opened(name, **keywords):
    return Log.open(folder / name, limits=limits, disk=OsDisk(sync=True), now_us=lambda: now_us, **keywords)

log = opened("a-0")
for number in range(20):
    log.append_payloads([b"\\r\\n%d\\n\\x1a" % number] * 2)
print([segment.base_offset for segment in log.segments], log.next_offset)
print(log.read(0, 1000).hex(), log.read(log.active_base_offset, 1000).hex())
now_us += 500_001
log.append_payloads([b"new"])
print([segment.file for segment in log.delete_old()], log.first_offset)
log.close()
leave_mark(folder, OsDisk(sync=True))
print(take_mark(folder, OsDisk(sync=True)), take_mark(folder, OsDisk(sync=True)))
torn = max((folder / "a-0").iterdir())
torn.write_bytes(torn.read_bytes() + b"\\0\\0\\0")
again = opened("a-0")
print(again.recovery.bytes_cut, again.first_offset, again.next_offset, again.offsets_before(now_us, 3))
again.append_payloads([b"x"])
print(again.lose_unflushed())
"""

CLUSTER = """
import hashlib, sys
from pathlib import Path
from engine import scenarios
from engine.commands import apply, parse_command
from engine.journal.journal import Journal

folder = Path(sys.argv[1])
for scenario in ("pageviews", "deployment"):
    journal = Journal.open(folder / scenario / "journal")
    cluster = scenarios.build(scenario, directory=folder / scenario / "cluster", seed=7, journal=journal)
    for command in (
        {"command": "produce", "count": 5},
        {"command": "crash_broker", "broker": 1},
        {"command": "start_broker", "broker": 1},
    ):
        apply(cluster, parse_command(command))
        cluster.run_until(cluster.now_us + 10_000_000)
    cluster.publish()
    cluster.close()
    journal.close()
files = sorted(path for path in folder.rglob("*.kafka"))
print(len(files), [(str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files])
"""


@pytest.mark.parametrize("system", ["macos", "windows"])
@pytest.mark.parametrize("program", [LOGS, CLUSTER], ids=["logs", "clusters"])
def test_the_output_is_the_same_on_every_system(system: str, program: str, tmp_path: Path) -> None:
    here = run_on("", program, str(tmp_path / "here"))
    assert here.count("\n") >= 1
    assert run_on(system, program, str(tmp_path / system)) == here
