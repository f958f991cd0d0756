"""``offsetscope broker`` as a user types it."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.broker.clean_shutdown import MARK_NAME
from engine.message.message_set import encode_message_set
from engine.tcp.client import Producer, SimpleConsumer
from tests.engine.tcp.support import BrokerProcess, broker_process, run_broker, until

PROC = Path("/proc")
SOON_S = 5.0  # a tenth of a second on an idle machine


def assert_one_line(*arguments: str, says: tuple[str, ...]) -> None:
    ended = run_broker(*arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("offsetscope: ")
    for words in says:
        assert words in line


@contextmanager
def clients(broker: BrokerProcess) -> Iterator[tuple[Producer, SimpleConsumer]]:
    with Producer("127.0.0.1", broker.port) as producer, SimpleConsumer("127.0.0.1", broker.port) as consumer:
        yield producer, consumer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_broker_soon_and_cleanly(data_dir: Path, number: int) -> None:
    with broker_process(data_dir, "--flush-ms", "3600000") as broker, clients(broker) as (producer, consumer):
        producer.send("a", [b"unflushed"])
        until((data_dir / "a-0" / f"{0:020d}.kafka").exists)
        consumer.fetch("a", 0, 0)
        broker.process.send_signal(number)
        assert broker.process.wait(SOON_S) == 0
    assert (data_dir / MARK_NAME).exists()
    with broker_process(data_dir) as broker, SimpleConsumer("127.0.0.1", broker.port) as consumer:
        assert not (data_dir / MARK_NAME).exists()
        assert [message.payload for message in consumer.fetch("a", 0, 0).messages()] == [b"unflushed"]


def test_every_option_reaches_the_logs(data_dir: Path) -> None:
    options = ["--partitions", "2", "--segment-bytes", "100", "--flush-messages", "2", "--flush-ms", "3600000"]
    options += ["--max-message-bytes", "50", "--retention-hours", "1", "--host", "127.0.0.1"]
    with broker_process(data_dir, *options) as broker, clients(broker) as (producer, consumer):
        for _ in range(3):
            producer.send("a", [b"x" * 50] * 2, partition=1)
        producer.send("a", [b"x" * 51] * 2, partition=1)
        producer.send("a", [b"x"], partition=1)
        names = [f"{base:020d}.kafka" for base in (0, 118, 236, 354)]
        until(lambda: sorted(path.name for path in (data_dir / "a-1").glob("*")) == names)
        assert consumer.offsets_before("a", 1, max_offsets=9) == (354, 236, 118, 0)
        assert consumer.offsets_before("a", 0) == (0,)


def test_a_port_that_is_taken_is_one_line_and_code_2(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_one_line("--data-dir", str(data_dir), "--port", port, says=(port, "--port", "in use"))
    assert not data_dir.exists()


def test_a_host_that_is_not_local_is_one_line_and_code_2(data_dir: Path) -> None:
    assert_one_line("--data-dir", str(data_dir), "--port", "0", "--host", "203.0.113.7", says=("203.0.113.7",))


def test_a_folder_that_cannot_be_created_is_one_line_and_code_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        assert_one_line("--data-dir", str(folder), "--port", "0", says=(str(folder), "--data-dir"))


@pytest.mark.skipif(not PROC.is_dir(), reason="/proc is where not even root may write")
def test_a_folder_that_cannot_be_written_is_one_line_and_code_2() -> None:
    for folder in (PROC, PROC / "data"):
        assert_one_line("--data-dir", str(folder), "--port", "0", says=(str(folder), "--data-dir"))


def test_a_second_broker_on_the_same_folder_is_one_line_and_code_2(data_dir: Path) -> None:
    with broker_process(data_dir) as broker:
        assert_one_line("--data-dir", str(data_dir), "--port", "0", says=("another broker", "--data-dir"))
        assert broker.end(signal.SIGTERM) == 0


def test_a_gap_between_segments_is_one_line_that_names_the_file(data_dir: Path) -> None:
    (data_dir / "a-0").mkdir(parents=True)
    entry = encode_message_set([b"12345"])
    (data_dir / "a-0" / f"{0:020d}.kafka").write_bytes(entry)
    (data_dir / "a-0" / f"{15:020d}.kafka").write_bytes(entry)
    assert_one_line("--data-dir", str(data_dir), "--port", "0", says=("a-0", f"{0:020d}.kafka", "14", "15"))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "--data-dir"),
        (["--data-dir", "x"], "--port"),
        (["--data-dir", "x", "--port", "65536"], "65536"),
        (["--data-dir", "x", "--port", "-1"], "--port"),
        (["--data-dir", "x", "--port", "nine"], "nine"),
        (["--data-dir", "x", "--port", "0", "--partitions", "0"], "--partitions"),
        (["--data-dir", "x", "--port", "0", "--segment-bytes", "0"], "--segment-bytes"),
        (["--data-dir", "x", "--port", "0", "--flush-messages", "1.5"], "--flush-messages"),
        (["--data-dir", "x", "--port", "0", "--flush-ms", ""], "--flush-ms"),
        (["--data-dir", "x", "--port", "0", "--retention-hours", "-3"], "--retention-hours"),
        (["--data-dir", "x", "--port", "0", "--max-message-bytes", "9" * 5000], "--max-message-bytes"),
        (["--data-dir", "x", "--port", "0", "--colour", "red"], "--colour"),
    ],
)
def test_invalid_arguments_are_one_line_and_code_2(arguments: list[str], word: str) -> None:
    assert_one_line(*arguments, says=(word,))
    assert not Path("x").exists()
