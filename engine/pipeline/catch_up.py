"""A job that reads partitions from given offsets to where their logs end now, for a load or an audit.

It works as the load jobs of 2011 did: request every log's end from its broker, then multi-fetch up to there, round by
round. Messages appended meanwhile are left for the next job, so that a job ends however fast producers are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.consumer.simple_consumer import Fetch, Fetched, Offsets, SimpleConsumer
from engine.errors import InvalidMessageSize
from engine.events.simple_consuming import MultiFetchOffsetReset
from engine.ids import BrokerId, TopicPartition
from engine.producer.in_flight import Layout
from engine.protocol.requests import EARLIEST_MS, LATEST_MS

OUT_OF_RANGE = "offset_out_of_range"


@dataclass(frozen=True, slots=True)
class Reader:
    """A simple consumer with its parameters: the layout, and ``max_bytes`` for each partition of a fetch."""

    simple: SimpleConsumer
    layout: Layout
    max_bytes: int

    def broker_of(self, partition: TopicPartition) -> BrokerId:
        """The broker that holds a partition."""
        return self.layout(partition.topic)[partition.partition]

    def by_broker(self, partitions: Sequence[TopicPartition]) -> dict[BrokerId, list[TopicPartition]]:
        """Group partitions by the broker that holds them."""
        held: dict[BrokerId, list[TopicPartition]] = {}
        for partition in partitions:
            held.setdefault(self.broker_of(partition), []).append(partition)
        return held


OnRound = Callable[[list[Fetched], Callable[[], None]], None]
"""Takes the results of a round, and calls back when the next round may start."""


class CatchUp:
    """One job over ``positions``; ``on_done`` is called when everything that can be read has been read."""

    def __init__(
        self,
        reader: Reader,
        positions: Mapping[TopicPartition, int],
        on_round: OnRound,
        on_done: Callable[[], None],
    ) -> None:
        assert positions
        self._reader = reader
        self._positions = dict(positions)
        self._on_round = on_round
        self._on_done = on_done
        self._ends: dict[TopicPartition, int] = {}
        self._missing_ends = len(self._positions)
        for partition in self._positions:
            self._request_end(partition)

    def _request_end(self, partition: TopicPartition) -> None:
        def take(latest: Offsets) -> None:
            """Note the log's end; if the broker did not return it, leave the partition for the next job."""
            self._ends[partition] = latest.offsets[0] if latest.offsets else self._positions[partition]
            self._missing_ends -= 1
            if not self._missing_ends:
                self._next_round()

        broker = self._reader.broker_of(partition)
        self._reader.simple.offsets_before(broker, partition, LATEST_MS, 1, take)

    def _next_round(self) -> None:
        """Fetch the partitions whose position is before the end, or beyond an end that a crash has moved back."""
        behind = {partition: offset for partition, offset in self._positions.items() if offset != self._ends[partition]}
        if behind:
            _Round(self._reader, behind, self._take)
        else:
            self._on_done()

    def _take(self, results: list[Fetched]) -> None:
        for result in results:
            partition = result.fetch.partition
            if result.next_offset == result.fetch.offset or result.next_offset > self._ends[partition]:
                self._ends[partition] = result.next_offset  # no progress, or past the end: done
            self._positions[partition] = result.next_offset
        self._on_round(results, self._next_round)


class _Round:
    """One round: a multi-fetch for each broker. A position outside its log is moved to the nearer end of the log."""

    def __init__(
        self, reader: Reader, positions: Mapping[TopicPartition, int], on_done: Callable[[list[Fetched]], None]
    ) -> None:
        self._reader = reader
        self._positions = positions
        self._on_done = on_done
        self._results: dict[TopicPartition, Fetched] = {}
        for broker, held in reader.by_broker(list(positions)).items():
            fetches = [Fetch(partition, positions[partition], reader.max_bytes) for partition in held]
            reader.simple.multi_fetch(broker, fetches, self._take)

    def _take(self, results: tuple[Fetched, ...]) -> None:
        for result in results:
            if result.error == OUT_OF_RANGE:
                self._request_new_position(result)
            elif result.size_bytes and result.next_offset == result.fetch.offset and not result.error:
                # the same fetch never returns a message
                self._add_result(replace(result, error=InvalidMessageSize.code))
            else:
                self._add_result(result)

    def _request_new_position(self, result: Fetched) -> None:
        """Request the start of the log and, if the position is after that, the end."""
        simple, fetch = self._reader.simple, result.fetch
        broker = self._reader.broker_of(fetch.partition)

        def take_earliest(earliest: Offsets) -> None:
            if earliest.offsets and earliest.offsets[0] < fetch.offset:
                simple.offsets_before(broker, fetch.partition, LATEST_MS, 1, take)
            else:
                take(earliest)

        def take(end: Offsets) -> None:
            if end.offsets:
                self._reset(fetch, end.offsets[0])
            else:
                self._add_result(result)

        simple.offsets_before(broker, fetch.partition, EARLIEST_MS, 1, take_earliest)

    def _reset(self, fetch: Fetch, offset: int) -> None:
        simple = self._reader.simple
        topic, number = fetch.partition.topic, fetch.partition.partition
        simple.emit(MultiFetchOffsetReset(simple.now_us, simple.address, topic, number, fetch.offset, offset))
        self._add_result(Fetched(fetch, (), offset, ""))

    def _add_result(self, result: Fetched) -> None:
        self._results[result.fetch.partition] = result
        if len(self._results) == len(self._positions):
            self._on_done([self._results[partition] for partition in self._positions])
