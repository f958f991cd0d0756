"""Reading on from offsets of one's own to where the logs end now: a load job, or an audit's look.

As the load jobs of 2011 did: ask every broker where its logs end, then multi-fetch up to there, round by round. What is
appended meanwhile is left for the next time, so that a job ends however fast producers are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.consumer.simple_consumer import Fetch, Fetched, Offsets, SimpleConsumer
from engine.errors import InvalidMessageSize
from engine.events.base import Emit
from engine.events.simple_consuming import PullOffsetReset
from engine.ids import BrokerId, TopicPartition
from engine.protocol.messages import OFFSETS_EARLIEST, OFFSETS_LATEST
from engine.runtime.scheduler import Timers

OUT_OF_RANGE = "offset_out_of_range"
Layout = Callable[[str], Sequence[BrokerId]]
"""The broker of each partition of a topic: a simple consumer has that from its configuration."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: its simple consumer and what that needs around it; ``max_bytes`` for each partition of a fetch."""

    simple: SimpleConsumer
    timers: Timers
    emit: Emit
    layout: Layout
    max_bytes: int

    def broker_of(self, partition: TopicPartition) -> BrokerId:
        """The broker that holds a partition."""
        return self.layout(partition.topic)[partition.partition]

    def by_broker(self, partitions: Sequence[TopicPartition]) -> dict[BrokerId, list[TopicPartition]]:
        """Partitions by the broker that holds them."""
        held: dict[BrokerId, list[TopicPartition]] = {}
        for partition in partitions:
            held.setdefault(self.broker_of(partition), []).append(partition)
        return held


OnRound = Callable[[list[Fetched], Callable[[], None]], None]
"""Take what a round brought, and call back when the next may follow."""


class CatchUp:
    """One job over ``positions``; ``on_done`` is called when all that can be read has been."""

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
        self._unasked = len(self._positions)
        for partition in self._positions:
            self._ask_end(partition)

    def _ask_end(self, partition: TopicPartition) -> None:
        def take(latest: Offsets) -> None:
            """A broker that does not say where its log ends is left for the next job."""
            self._ends[partition] = latest.offsets[0] if latest.offsets else self._positions[partition]
            self._unasked -= 1
            if not self._unasked:
                self._next_round()

        broker = self._reader.broker_of(partition)
        self._reader.simple.offsets_before(broker, partition, OFFSETS_LATEST, 1, take)

    def _next_round(self) -> None:
        """Fetch where we are behind, or beyond an end that a crash has brought back."""
        behind = {partition: offset for partition, offset in self._positions.items() if offset != self._ends[partition]}
        if behind:
            _Round(self._reader, behind, self._take)
        else:
            self._on_done()

    def _take(self, answers: list[Fetched]) -> None:
        for answer in answers:
            partition = answer.fetch.partition
            if answer.next_offset == answer.fetch.offset or answer.next_offset > self._ends[partition]:
                self._ends[partition] = answer.next_offset  # no way on, or past the goal: done with it
            self._positions[partition] = answer.next_offset
        self._on_round(answers, self._next_round)


class _Round:
    """One multi-fetch a broker; a position that is not in its log is moved to the end of it that lies nearer."""

    def __init__(
        self, reader: Reader, positions: Mapping[TopicPartition, int], on_done: Callable[[list[Fetched]], None]
    ) -> None:
        self._reader = reader
        self._positions = positions
        self._on_done = on_done
        self._answers: dict[TopicPartition, Fetched] = {}
        for broker, held in reader.by_broker(list(positions)).items():
            fetches = [Fetch(partition, positions[partition], reader.max_bytes) for partition in held]
            reader.simple.multi_fetch(broker, fetches, self._take)

    def _take(self, answers: tuple[Fetched, ...]) -> None:
        for answer in answers:
            if answer.error == OUT_OF_RANGE:
                self._find_an_end(answer)
            elif answer.size_bytes and answer.next_offset == answer.fetch.offset and not answer.error:
                self._settle(replace(answer, error=InvalidMessageSize.code))  # the same fetch never brings a message
            else:
                self._settle(answer)

    def _find_an_end(self, answer: Fetched) -> None:
        """Ask where the log begins and, if that is not beyond us, where it ends."""
        simple, fetch = self._reader.simple, answer.fetch
        broker = self._reader.broker_of(fetch.partition)

        def take_earliest(earliest: Offsets) -> None:
            if earliest.offsets and earliest.offsets[0] < fetch.offset:
                simple.offsets_before(broker, fetch.partition, OFFSETS_LATEST, 1, take)
            else:
                take(earliest)

        def take(end: Offsets) -> None:
            if end.offsets:
                self._reset(fetch, end.offsets[0])
            else:
                self._settle(answer)

        simple.offsets_before(broker, fetch.partition, OFFSETS_EARLIEST, 1, take_earliest)

    def _reset(self, fetch: Fetch, offset: int) -> None:
        now_us, client = self._reader.timers.now_us, self._reader.simple.address
        topic, number = fetch.partition.topic, fetch.partition.partition
        self._reader.emit(PullOffsetReset(now_us, client, topic, number, fetch.offset, offset))
        self._settle(Fetched(fetch, (), offset, ""))

    def _settle(self, answer: Fetched) -> None:
        self._answers[answer.fetch.partition] = answer
        if len(self._answers) == len(self._positions):
            self._on_done([self._answers[partition] for partition in self._positions])
