"""A broker that is killed in the middle of writing: what was readable stays readable, and it always restarts."""

import signal
from pathlib import Path
from random import Random

import pytest

from engine.message.message_set import encode_message_set
from engine.protocol.requests import ProduceRequest, encode_request
from engine.tcp.client import SimpleConsumer
from tests.engine.tcp.support import BrokerProcess, RawClient, broker_process, until

ROUNDS = 10
OPTIONS = ("--flush-messages", "100", "--segment-bytes", "10000000")


def small_set(chance: Random) -> bytes:
    """Make a set of a hundred messages: enough to be flushed at once."""
    return encode_message_set([chance.randbytes(chance.randrange(200)) for _ in range(100)])


def large_set(chance: Random) -> bytes:
    """Make a set of some 8 MB, which take the system long enough to write that a kill falls into the middle."""
    return encode_message_set([bytes([number]) * chance.randrange(50_000, 150_000) for number in range(80)])


def end_of_files(directory: Path) -> int:
    """Return the offset at which the files of a log end, flushed or not, whole messages or not."""
    last = max(directory.glob("*.kafka"))
    return int(last.stem) + last.stat().st_size


def read_from(consumer: SimpleConsumer, offset: int) -> bytes:
    """Return all that can be read from ``offset`` on, with every CRC checked."""
    read = bytearray()
    while True:
        fetched = consumer.fetch("a", 0, offset + len(read), 16 << 20)
        messages = list(fetched.messages())
        if not messages:
            return bytes(read)
        read += fetched.data[: messages[-1].next_offset - offset - len(read)]


def kill_in_mid_write(broker: BrokerProcess, sets: tuple[bytes, bytes], begin_offset: int, directory: Path) -> bool:
    """Send a small set and, once it can be read, a large one; kill the broker when half of that is in the file.

    Return whether the file was left with a part of the set.
    """
    small, large = sets
    large_offset = begin_offset + len(small)
    with SimpleConsumer("127.0.0.1", broker.port) as consumer, RawClient(broker.port) as producer:
        producer.say(encode_request(ProduceRequest("a", 0, small)))
        until(lambda: consumer.offsets_before("a", 0) == (large_offset,))
        producer.say(encode_request(ProduceRequest("a", 0, large)))
        until(lambda: end_of_files(directory) > large_offset + len(large) // 2)
        broker.end(signal.SIGKILL)
    return end_of_files(directory) < large_offset + len(large)


@pytest.mark.slow
def test_flushed_bytes_survive_ten_kills_in_mid_write(data_dir: Path) -> None:
    chance = Random(2011)
    expected = b""
    sent = b""
    flushed_bytes = 0  # of what was sent last
    torn = 0
    for _ in range(ROUNDS):
        with broker_process(data_dir, *OPTIONS) as broker:
            with SimpleConsumer("127.0.0.1", broker.port) as consumer:
                survived = read_from(consumer, len(expected))
            assert survived == sent[: len(survived)]
            assert len(survived) >= flushed_bytes
            expected += survived
            sets = (small_set(chance), large_set(chance))
            sent, flushed_bytes = b"".join(sets), len(sets[0])
            torn += kill_in_mid_write(broker, sets, len(expected), data_dir / "a-0")
    assert torn > 0, "all kills came too late to prove anything"
    with broker_process(data_dir) as broker, SimpleConsumer("127.0.0.1", broker.port) as consumer:
        content = read_from(consumer, 0)
    assert content[: len(expected)] == expected
    assert content[len(expected) :] == sent[: len(content) - len(expected)]
    assert len(content) >= len(expected) + flushed_bytes
