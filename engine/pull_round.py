"""A round of pulling over partitions of several brokers, for whoever keeps offsets of its own."""

from collections.abc import Callable, Mapping, Sequence

from engine import events
from engine.events import Emit
from engine.ids import BrokerId, TopicPartition
from engine.protocol import OFFSETS_EARLIEST, OFFSETS_LATEST
from engine.scheduler import Scheduler
from engine.simple_consumer import Fetch, Fetched, Offsets, SimpleConsumer

OUT_OF_RANGE = "offset_out_of_range"
Layout = Callable[[str], Sequence[BrokerId]]
Taken = Callable[[list[Fetched]], None]


class PullRound:
    """One multi-fetch a broker; ``on_done`` gets every answer, in order of the positions, when the last is in.

    A position that is not in the log any more is moved to the end of the log that lies nearer, and says so. ``layout``
    is where the partitions are: a simple consumer has that from its configuration.
    """

    def __init__(
        self,
        simple: SimpleConsumer,
        scheduler: Scheduler,
        emit: Emit,
        layout: Layout,
        positions: Mapping[TopicPartition, int],
        max_bytes: int,
        on_done: Taken,
    ) -> None:
        self._simple = simple
        self._scheduler = scheduler
        self._emit = emit
        self._positions = positions
        self._on_done = on_done
        self._answers: dict[TopicPartition, Fetched] = {}
        self._brokers = {partition: layout(partition.topic)[partition.partition] for partition in positions}
        for broker in sorted(set(self._brokers.values())):
            held = [partition for partition in positions if self._brokers[partition] == broker]
            fetches = [Fetch(partition, positions[partition], max_bytes) for partition in held]
            simple.multi_fetch(broker, fetches, self._take)

    def _take(self, answers: tuple[Fetched, ...]) -> None:
        for answer in answers:
            if answer.error == OUT_OF_RANGE:
                self._find_an_end(answer)
            else:
                self._settle(answer)

    def _find_an_end(self, answer: Fetched) -> None:
        """Ask where the log begins and, if that is not beyond us, where it ends."""
        partition = answer.fetch.partition
        broker = self._brokers[partition]

        def take_earliest(earliest: Offsets) -> None:
            if earliest.offsets and earliest.offsets[0] < answer.fetch.offset:
                self._simple.offsets_before(broker, partition, OFFSETS_LATEST, 1, take)
            else:
                take(earliest)

        def take(end: Offsets) -> None:
            if end.offsets:
                self._reset(answer.fetch, end.offsets[0])
            else:
                self._settle(answer)

        self._simple.offsets_before(broker, partition, OFFSETS_EARLIEST, 1, take_earliest)

    def _reset(self, fetch: Fetch, offset: int) -> None:
        partition = fetch.partition
        self._emit(
            events.PullOffsetReset(
                self._scheduler.now_us,
                self._simple.address,
                partition.topic,
                partition.partition,
                fetch.offset,
                offset,
            )
        )
        self._settle(Fetched(fetch, (), offset, ""))

    def _settle(self, answer: Fetched) -> None:
        self._answers[answer.fetch.partition] = answer
        if len(self._answers) == len(self._positions):
            self._on_done([self._answers[partition] for partition in self._positions])
