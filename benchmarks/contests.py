"""The log beside others: appending, reading back, overhead on disk; and viewers of a journal, who share."""

from collections.abc import Callable
from pathlib import Path

from benchmarks.compare import Comparison, compare
from benchmarks.events.audience import Following
from benchmarks.measure import Subject, require
from benchmarks.messages import batches_of, empty, payloads
from benchmarks.stores import append_subject, overhead_bytes, read_subject
from benchmarks.stores.engine import (
    FETCH_BYTES,
    ChecksummedFile,
    EngineLog,
    RawFile,
    UntrustedLog,
)
from benchmarks.stores.peers import SqlitePayloadsOnly, fast_peers, slow_peers
from engine.events.consuming import MessagesConsumed
from engine.journal.journal import Journal
from webapp.feed.broadcaster import Turn

VIEWERS = 16
SHARING_TITLE = "viewers of one journal, events handed over in all"
SLOW_SHARE = 50


def append_contest(folder: Path, messages: int, batch_messages: int, rounds: int) -> Comparison:
    """Everybody appends the same messages in batches."""
    everything = payloads(messages)
    batches = batches_of(everything, batch_messages)
    few = batches_of(everything[: max(batch_messages, messages // SLOW_SHARE)], batch_messages)
    ours = [EngineLog(), UntrustedLog(), RawFile(), ChecksummedFile()]
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


def sharing_contest(folder: Path, events_told: int, rounds: int) -> Comparison:
    """Viewers of one journal as the feed serves them: what is read and encoded for one serves all at its place.

    One viewer, sixteen who share, and sixteen for whom everything is done again: events sent in all.
    """
    directory = empty(folder / "shared")
    journal = Journal.open(directory)
    for number in range(events_told):
        journal.append(
            MessagesConsumed(number, "group", "consumer", "pageviews", 0, 209 * number, 209 * number + 209, 1)
        )
    journal.close()
    subjects = [
        _viewers(f"{VIEWERS} viewers", directory, events_told, VIEWERS, shared=True),
        _viewers(f"{VIEWERS} viewers, nothing shared", directory, events_told, VIEWERS, shared=False),
        _viewers("one viewer", directory, events_told, 1, shared=True),
    ]
    return compare(SHARING_TITLE, "events", subjects, rounds)


def _viewers(name: str, directory: Path, events_told: int, viewers: int, *, shared: bool) -> Subject:
    journals: list[Journal] = []
    seen_bytes = [0]

    def prepare() -> Callable[[], None]:
        journals[:] = [Journal.open(directory)]

        def work() -> None:
            seen_bytes[0] = _view(journals[0], viewers, shared=shared)

        return work

    def verify() -> None:
        require(seen_bytes[0] == viewers * journals[0].end_offset, f"{name} saw another part of the journal")
        journals[0].close()

    return Subject(name, events_told * viewers, prepare, verify)


def _view(journal: Journal, viewers: int, *, shared: bool) -> int:
    """Bring so many viewers to the end of the journal; how many bytes of it they saw in all."""
    source = Following(journal)
    seen_bytes = offset = 0
    while offset < journal.end_offset:
        turn = Turn()
        for _ in range(viewers):
            frame = (turn if shared else Turn()).frame(source, offset, FETCH_BYTES)
            seen_bytes += frame.next_offset - offset
        offset = frame.next_offset
    return seen_bytes
