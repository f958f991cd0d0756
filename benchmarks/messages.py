"""The messages that everybody stores: the paper's 200 bytes, all different, the same ones in every run."""

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

PAYLOAD_BYTES = 200

Batch = list[bytes]


def payloads(count: int) -> list[bytes]:
    """``count`` messages of 200 random bytes."""
    source = random.Random(2011)
    return [source.randbytes(PAYLOAD_BYTES) for _ in range(count)]


def batches_of(messages: Sequence[bytes], size: int) -> list[Batch]:
    """The messages in batches; the last one may be smaller."""
    return [list(messages[start : start + size]) for start in range(0, len(messages), size)]


def empty(directory: Path) -> Path:
    """The directory, with nothing in it."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def bytes_below(directory: Path) -> int:
    """What all files below a directory hold."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
