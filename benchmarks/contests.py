"""The log beside others: appending, reading back, overhead on disk, and readers who share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.compare import Comparison, compare
from benchmarks.measure import Subject, require
from benchmarks.messages import batches_of, empty, payloads
from benchmarks.stores import append_subject, overhead_bytes, read_subject
from benchmarks.stores.engine import FETCH_BYTES, EngineLog, LingeringLog, RawFile, UntrustedLog, open_log
from benchmarks.stores.peers import SqlitePayloadsOnly, fast_peers, slow_peers
from engine.decoding import iterate_messages
from engine.storage.shared_reader import SharedReader

READERS = 16
SLOW_SHARE = 50


def append_contest(folder: Path, messages: int, batch_messages: int, rounds: int) -> Comparison:
    """Everybody appends the same messages in batches."""
    everything = payloads(messages)
    batches = batches_of(everything, batch_messages)
    few = batches_of(everything[: max(batch_messages, messages // SLOW_SHARE)], batch_messages)
    ours = [EngineLog(), LingeringLog(), UntrustedLog(), RawFile()]
    subjects = [append_subject(store, folder / store.name, batches) for store in [*ours, *fast_peers()]]
    subjects += [append_subject(store, folder / store.name, few) for store in slow_peers()]
    return compare(f"append, batches of {batch_messages}", "messages", subjects, rounds)


def read_contest(folder: Path, messages: int, rounds: int) -> Comparison:
    """Everybody reads everything back, message by message."""
    batches = batches_of(payloads(messages), 500)
    few = batches_of(payloads(messages // SLOW_SHARE), 500)
    stores = [EngineLog(), RawFile(), *fast_peers(), SqlitePayloadsOnly()]
    subjects = [read_subject(store, folder / store.name, batches) for store in stores]
    subjects += [read_subject(store, folder / store.name, few) for store in slow_peers()]
    return compare("read back, every message", "messages", subjects, rounds)


def overheads(folder: Path, messages: int) -> dict[str, float]:
    """Bytes a message beyond its payload, when written in batches of 50 and closed."""
    batches = batches_of(payloads(messages), 50)
    few = batches_of(payloads(messages // SLOW_SHARE), 50)
    found = {store.name: overhead_bytes(store, folder / store.name, batches) for store in [EngineLog(), *fast_peers()]}
    return found | {store.name: overhead_bytes(store, folder / store.name, few) for store in slow_peers()}


def sharing_contest(folder: Path, messages: int, rounds: int) -> Comparison:
    """One reader, sixteen that decode for themselves, sixteen that share: messages handed over as lists, in all."""
    directory = folder / "shared"
    EngineLog().writer(empty(directory), batches_of(payloads(messages), 500))()
    subjects = [
        _readers("16 readers sharing", directory, messages, READERS, _read_shared),
        _readers("16 readers, each for itself", directory, messages, READERS, _read_alone),
        _readers("one reader", directory, messages, 1, _read_alone),
    ]
    return compare("readers of one log, messages handed over in all", "messages", subjects, rounds)


ReadAll = Callable[[Any, int], int]


def _readers(name: str, directory: Path, messages: int, readers: int, read_all: ReadAll) -> Subject:
    seen = [0]

    def prepare() -> Callable[[], None]:
        log = open_log(directory)

        def work() -> None:
            seen[0] = read_all(log, readers)
            log.close()

        return work

    def verify() -> None:
        require(seen[0] == messages * readers, f"{name} saw another number of messages")

    return Subject(name, messages * readers, prepare, verify)


def _read_shared(log: Any, readers: int) -> int:
    reader = SharedReader(log)
    seen = offset = 0
    while offset < log.flushed_offset:
        for _ in range(readers):
            chunk = reader.read(offset, FETCH_BYTES)
            seen += len(chunk.messages)
        offset = chunk.next_offset
    return seen


def _read_alone(log: Any, readers: int) -> int:
    seen = offset = 0
    while offset < log.flushed_offset:
        for _ in range(readers):
            messages = list(iterate_messages(log.read(offset, FETCH_BYTES), offset))
            seen += len(messages)
        offset = messages[-1][0]
    return seen
