"""Each checker finds its fault: the engine is broken in one place and then simulated.

Runs of the intact engine find nothing (``test_simulation``), so anomalies found here come from the fault.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.broker.broker import Broker
from engine.broker.request_handler import RequestHandler, ResponsePart
from engine.cluster.cluster import Cluster
from engine.cluster.message_index import MessageIndex
from engine.config import NEVER_US
from engine.consumer import fetcher as fetching
from engine.consumer.consumer import Consumer
from engine.consumer.fetcher import Fetcher
from engine.consumer.offset_commits import OffsetCommits
from engine.consumer.rebalance import Rebalance, Start
from engine.errors import OffsetscopeError
from engine.ids import TopicPartition
from engine.message.format import read_header
from engine.message.message_set import Message
from engine.pipeline.mirror import Mirror
from engine.pipeline.warehouse import Row, Warehouse
from engine.protocol.envelope import NO_ADDRESS, RequestEnvelope
from engine.protocol.faults import NO_ERROR
from engine.protocol.requests import FetchRequest
from engine.protocol.responses import response_header
from engine.registry import operations as ops
from engine.registry.server import RegistryServer
from engine.registry.session import Session
from engine.runtime.network import Latency, Network
from engine.runtime.process import ProcessTime
from engine.simulation.checkers.all import CHECKERS, find_anomalies
from engine.simulation.run import simulate
from engine.storage.faulty_disk import FaultyDisk
from engine.storage.log import Log

MOST_SEEDS = 120
Plant = Callable[[pytest.MonkeyPatch], None]


# --- brokers --------------------------------------------------------------------------------------------------------


def a_crash_takes_flushed_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Log.lose_unflushed

    def lose_too_much(log: Log) -> int:
        flushed_bytes = log._segments.active.flushed_bytes
        lost = original(log)
        with log._segments.active.file.path.open("r+b") as file:
            file.truncate(max(0, flushed_bytes - 5))
        return lost

    monkeypatch.setattr(Log, "lose_unflushed", lose_too_much)


def the_disk_writes_something_else_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    original = FaultyDisk.append
    writes: list[int] = []

    def append_sometimes_altered(disk: FaultyDisk, handle: int, data: bytes) -> None:
        writes.append(len(data))
        original(disk, handle, data[:-1] + bytes([data[-1] ^ 1]) if len(writes) % 20 == 0 else data)

    monkeypatch.setattr(FaultyDisk, "append", append_sometimes_altered)


def a_broker_acknowledges_what_it_has_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Broker._append

    def acknowledge_early(broker: Broker, envelope: RequestEnvelope) -> None:
        if envelope.batch.acknowledge_to != NO_ADDRESS and envelope.batch.batch % 5 == 0:
            broker._acknowledge(envelope, 0, "")
        else:
            original(broker, envelope)

    monkeypatch.setattr(Broker, "_append", acknowledge_early)


def a_message_may_overtake_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def due_us(network: Network, source: str, destination: str, latency: Latency) -> int:
        return network._scheduler.now_us + latency.draws(network._chance)()

    monkeypatch.setattr(Network, "due_us", due_us)


def a_log_shows_what_is_not_flushed(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Log.read

    def read_unflushed(log: Log, offset: int, max_bytes: int) -> bytes:
        active = log._segments.active
        if offset < active.base_offset:
            return original(log, offset, max_bytes)
        position = offset - active.base_offset
        return active.file.read(position, max(0, min(max_bytes, active.size_bytes - position)))

    monkeypatch.setattr(Log, "read", read_unflushed)


# --- delivery -------------------------------------------------------------------------------------------------------


def entries_unchecked(data: bytes, offset: int) -> list[Message]:
    """Return the whole plain entries, whatever their CRC says."""
    messages: list[Message] = []
    position = 0
    while position + 10 <= len(data):
        header = read_header(data[position : position + 10])
        end = position + header.size_bytes
        if end > len(data):
            break
        messages.append((offset + position, offset + end, data[position + header.overhead_bytes : end]))
        position = end
    return messages


def a_consumer_checks_no_crc(monkeypatch: pytest.MonkeyPatch) -> None:
    original = fetching.decode

    def decode_unchecked(data: bytes, offset: int, most_bytes: int) -> tuple[list[Message], str]:
        messages, error = original(data, offset, most_bytes)
        return (entries_unchecked(data, offset), "") if error == "invalid_message" else (messages, error)

    monkeypatch.setattr(fetching, "decode", decode_unchecked)


def a_broker_reads_another_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    original = RequestHandler._fetch

    def fetch_elsewhere(
        handler: RequestHandler, request: FetchRequest, room_bytes: int
    ) -> tuple[int, list[ResponsePart]]:
        body_bytes, response = original(handler, request, room_bytes)
        if not body_bytes:
            return body_bytes, response
        log = handler._logs.get(TopicPartition(request.topic, request.partition))
        if request.offset <= log.first_offset:
            return body_bytes, response
        body = log.read(log.first_offset, body_bytes)
        return len(body), [response_header(len(body), NO_ERROR), body]

    monkeypatch.setattr(RequestHandler, "_fetch", fetch_elsewhere)


def a_consumer_drops_the_first_message_of_a_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    original = fetching.decode

    def decode_without_first(data: bytes, offset: int, most_bytes: int) -> tuple[list[Message], str]:
        messages, error = original(data, offset, most_bytes)
        return (messages[1:] if len(messages) > 1 else messages), error

    monkeypatch.setattr(fetching, "decode", decode_without_first)


def a_consumer_skips_a_message_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Fetcher._drop

    def drop_one_more(fetcher: Fetcher, most: int) -> int:
        if fetcher.waiting_messages > most:
            original(fetcher, 1)
        return original(fetcher, most)

    monkeypatch.setattr(Fetcher, "_drop", drop_one_more)


# --- ownership ------------------------------------------------------------------------------------------------------


def a_refused_claim_counts_as_made(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Rebalance._claim

    def claim_anyway(rebalance: Rebalance, share: Any) -> Any:
        yield from original(rebalance, share)
        return True

    monkeypatch.setattr(Rebalance, "_claim", claim_anyway)


def claims_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def claim_nothing(rebalance: Rebalance, share: Any) -> Any:
        yield ()
        return True

    monkeypatch.setattr(Rebalance, "_claim", claim_nothing)


def a_client_never_ends_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def hold_on(session: Session) -> None:
        session._lease_ends_us = NEVER_US

    monkeypatch.setattr(Session, "check_lease", hold_on)


def a_frozen_process_keeps_working(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProcessTime, "suspended", False)


# --- committed offsets ----------------------------------------------------------------------------------------------


def the_registry_forgets_a_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    original = RegistryServer._put

    def put_and_forget(server: RegistryServer, operation: ops.Put) -> None:
        original(server, operation)
        if operation.commit % 7 == 6 and operation.value != "0":
            original(server, ops.Put(operation.path, "0", commit=0))

    monkeypatch.setattr(RegistryServer, "_put", put_and_forget)


def a_consumer_commits_what_it_has_only_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    original = OffsetCommits.put

    def put_fetch_offset(commits: OffsetCommits, fetcher: Fetcher, number: int) -> ops.Put:
        put = original(commits, fetcher, number)
        return ops.Put(put.path, str(fetcher.fetch_offset), put.commit)

    monkeypatch.setattr(OffsetCommits, "put", put_fetch_offset)


def a_consumer_counts_what_it_has_fetched_as_done(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Consumer.commit

    def commit_fetched(consumer: Consumer) -> None:
        for fetcher in consumer.fetchers.values():
            fetcher.consumed_offset = fetcher.fetch_offset
        original(consumer)

    monkeypatch.setattr(Consumer, "commit", commit_fetched)


def a_consumer_starts_at_the_beginning_whatever_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Consumer._start_fetching

    def start_at_zero(consumer: Consumer, starts: Sequence[Start]) -> None:
        original(consumer, [Start(start.stream, start.broker, start.partition, 0) for start in starts])

    monkeypatch.setattr(Consumer, "_start_fetching", start_at_zero)


def a_seek_is_lost_while_no_consumer_fetches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RegistryServer, "put_by_operator", lambda server, path, value: None)
    monkeypatch.setattr(Cluster, "_repeat_seek", lambda cluster, start: None)


# --- the deployment pattern -----------------------------------------------------------------------------------------


def a_mirror_sends_nothing_before_a_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mirror, "flush", lambda mirror: None)
    monkeypatch.setattr(Mirror, "offset_to_commit", lambda mirror, partition, consumed_offset: consumed_offset)


def loads_change(monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Row]], list[Row]]) -> None:
    original = Warehouse.begin

    def begin(warehouse: Warehouse, rows: Iterable[Row], *others: Any) -> None:
        original(warehouse, change(list(rows)), *others)

    monkeypatch.setattr(Warehouse, "begin", begin)


def a_load_keeps_offsets_and_forgets_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    loads_change(monkeypatch, lambda rows: rows[1:])


def a_load_stores_rows_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    loads_change(monkeypatch, lambda rows: [*rows, *rows])


def a_load_stores_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    loads_change(monkeypatch, lambda rows: [replace(row, payload=b"else") for row in rows])


# --- flights and endings --------------------------------------------------------------------------------------------


def a_consumer_forgets_to_fetch_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Fetcher.poll_after
    calls: list[int] = []

    def poll_mostly(fetcher: Fetcher, delay_us: int) -> None:
        calls.append(delay_us)
        if len(calls) % 50:
            original(fetcher, delay_us)

    monkeypatch.setattr(Fetcher, "poll_after", poll_mostly)


def a_consumer_rejects_good_messages_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Fetcher.poll_after
    calls: list[int] = []

    def poll_and_reject(fetcher: Fetcher, delay_us: int) -> None:
        calls.append(delay_us)
        if len(calls) % 50 == 0 and not fetcher.error:
            fetcher.reject("invalid_message")
        original(fetcher, delay_us)

    monkeypatch.setattr(Fetcher, "poll_after", poll_and_reject)


def a_cut_takes_more_messages_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    original = MessageIndex.cut
    monkeypatch.setattr(
        MessageIndex, "cut", lambda message_index, *arguments: min(1, original(message_index, *arguments))
    )


def a_failed_fetch_is_journaled_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Fetcher._report_failed

    def report_twice(fetcher: Fetcher, request: RequestEnvelope, reason: str) -> None:
        original(fetcher, request, reason)
        original(fetcher, request, reason)

    monkeypatch.setattr(Fetcher, "_report_failed", report_twice)


def a_late_answer_is_not_journaled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fetcher, "_report_failed", lambda fetcher, request, reason: None)


def watches_do_not_fire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RegistryServer, "_fire_watches", lambda server, path: None)


def the_registry_writes_down_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    original = RegistryServer._put

    def put_half(server: RegistryServer, operation: ops.Put) -> None:
        original(server, ops.Put(operation.path, str(int(operation.value) // 2), operation.commit))

    monkeypatch.setattr(RegistryServer, "_put", put_half)


PLANTS: list[tuple[Plant, str]] = [
    (a_crash_takes_flushed_bytes_too, "lost-flushed"),
    (a_crash_takes_flushed_bytes_too, "lost-acknowledged"),
    (the_disk_writes_something_else_now_and_then, "altered-on-disk"),
    (a_broker_acknowledges_what_it_has_not_written, "acknowledged-unappended"),
    (a_message_may_overtake_another, "order-broken"),
    (a_log_shows_what_is_not_flushed, "exposed-before-flush"),
    (a_consumer_checks_no_crc, "delivered-differs"),
    (a_broker_reads_another_segment, "delivered-differs"),
    (a_consumer_drops_the_first_message_of_a_fetch, "message-skipped"),
    (a_consumer_skips_a_message_that_waits, "message-skipped"),
    (a_refused_claim_counts_as_made, "owned-twice"),
    (a_client_never_ends_its_session, "owned-twice"),
    (a_frozen_process_keeps_working, "acted-while-frozen"),
    (claims_are_not_made, "fetched-unclaimed"),
    (the_registry_forgets_a_commit, "commit-moved-back"),
    (a_consumer_commits_what_it_has_only_fetched, "commit-ahead"),
    (a_consumer_counts_what_it_has_fetched_as_done, "committed-unconsumed"),
    (a_consumer_starts_at_the_beginning_whatever_is_stored, "started-elsewhere"),
    (a_seek_is_lost_while_no_consumer_fetches, "seek-lost"),
    (a_mirror_sends_nothing_before_a_commit, "committed-unmirrored"),
    (a_load_keeps_offsets_and_forgets_a_row, "loaded-never"),
    (a_load_stores_rows_twice, "loaded-twice"),
    (a_load_stores_something_else, "loaded-else"),
    (a_late_answer_is_not_journaled, "endless-flight"),
    (a_late_answer_is_not_journaled, "forgotten-flight"),
    (a_failed_fetch_is_journaled_twice, "ended-twice"),
    (a_cut_takes_more_messages_than_it_says, "miscounted"),
    (a_consumer_forgets_to_fetch_now_and_then, "stranded"),
    (a_consumer_rejects_good_messages_now_and_then, "stranded"),
    (watches_do_not_fire, "not-caught-up"),
    (the_registry_writes_down_something_else, "invariant-broken"),
]


# For faults that a search from the first seed on would find late.
FIRST_SEEDS: Mapping[Plant, int] = {
    a_consumer_checks_no_crc: 72,
    a_seek_is_lost_while_no_consumer_fetches: 76,
    a_cut_takes_more_messages_than_it_says: 72,
}


@pytest.mark.slow
@pytest.mark.parametrize(("plant", "name"), PLANTS, ids=[f"{name}: {plant.__name__}" for plant, name in PLANTS])
def test_a_planted_fault_is_found_by_its_name(
    plant: Plant, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plant(monkeypatch)
    first = FIRST_SEEDS.get(plant, 1)
    assert any(name in names_found(seed, tmp_path / str(seed)) for seed in range(first, first + MOST_SEEDS))


def names_found(seed: int, directory: Path) -> set[str]:
    """Return the names of the anomalies of a seed.

    A broken engine, or the bytes that it let through, may raise an error first; then another seed shows the fault.
    """
    try:
        return {anomaly.name for anomaly in find_anomalies(simulate(seed, directory))}
    except (AssertionError, LookupError, TypeError, ValueError, OffsetscopeError, zlib.error):
        return set()


def test_every_anomaly_that_a_checker_documents_has_a_planted_fault() -> None:
    said = {
        word.strip("`,")
        for checker in CHECKERS
        for word in (checker.__doc__ or "").replace(":", " ").split()
        if word.startswith("``") and "-" in word
    }
    assert said
    assert said <= {name for _, name in PLANTS}
