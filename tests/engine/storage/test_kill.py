"""A process that is killed with -9 in the middle of writing: nothing that was flushed is lost, the log always opens."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.message.message_set import iterate_deep
from engine.storage.disk import OsDisk
from engine.storage.log import Log
from engine.storage.log_config import LogConfig

KILLS = 25
LIMITS = {"segment_bytes": 200_000, "flush_messages": 40, "max_message_bytes": 1_000_000}
WRITER = """
import random, sys
from pathlib import Path
from engine.message.message_set import encode_compressed_set, encode_message_set
from engine.storage.disk import OsDisk
from engine.storage.log_config import LogConfig
from engine.storage.log import Log

directory, number, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
log = Log.open(directory, limits=LogConfig(**{limits}), disk=OsDisk(sync=True), now_us=lambda: 0)
while True:
    count = chance.randrange(1, 30)
    payloads = [b"%d %s" % (number + index, b"." * chance.randrange(3_000)) for index in range(count)]
    number += count
    appended = log.append(chance.choice([encode_message_set, encode_message_set, encode_compressed_set])(payloads))
    if appended.flushed:
        print(number, appended.next_offset, flush=True)
"""


@pytest.mark.slow
def test_a_writer_killed_many_times_never_loses_what_it_had_flushed(tmp_path: Path) -> None:
    directory = tmp_path / "topic-0"
    chance = random.Random(9)
    next_number = 0
    for kill in range(KILLS):
        flushed_number, flushed_offset = write_and_die(directory, next_number, kill, chance)
        log = Log.open(directory, limits=LogConfig(**LIMITS), disk=OsDisk(sync=True), now_us=lambda: 0)
        assert log.flushed_offset >= flushed_offset
        numbers = [int(payload.split()[0]) for payload in everything(log)]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= flushed_number
        next_number = len(numbers)
        log.close()
    assert next_number > 10 * KILLS


def write_and_die(directory: Path, number: int, seed: int, chance: random.Random) -> tuple[int, int]:
    """Let a process append until it is killed; return the flushed messages and bytes that it reported last."""
    script = WRITER.replace("{limits}", repr(LIMITS))
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(directory), str(number), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert writer.stdout is not None
    said = "0 0"
    for _ in range(chance.randrange(1, 25)):
        said = writer.stdout.readline() or said
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read().splitlines(keepends=True)
    complete = [line for line in rest if line.endswith("\n")]
    said = complete[-1] if complete else said
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    flushed_number, flushed_offset = map(int, said.split())
    return flushed_number, flushed_offset


def everything(log: Log) -> list[bytes]:
    """Return every payload of a log, in order."""
    payloads = []
    offset = log.first_offset
    while offset < log.flushed_offset:
        data = log.read(offset, 1 << 22)
        messages = list(iterate_deep(data, offset))
        payloads += [payload for _, _, payload in messages]
        offset = messages[-1][1]
    return payloads
