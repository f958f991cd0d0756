"""What to do about a position that is not in the log (autooffset.reset of 0.7): ask the broker for one that is."""

from collections.abc import Callable

from engine.consumer.fetcher import Fetcher, Wiring
from engine.events.consuming import OffsetReset
from engine.ids import TopicPartition
from engine.protocol.messages import OFFSETS_EARLIEST, OFFSETS_LATEST, OffsetsRequest, OffsetsResponse
from engine.runtime.network import Latency


class OffsetResets:
    """A consumer's questions to brokers where their logs begin or end, asked again until they are answered."""

    def __init__(
        self,
        wiring: Wiring,
        current: Callable[[TopicPartition], Fetcher | None],
        jump: Callable[[Fetcher, int], None],
    ) -> None:
        self._wiring = wiring
        self._current = current
        self._jump = jump
        self._latency = Latency(wiring.config.network_latency_us, wiring.config.latency_jitter_permille)
        self._asking: dict[TopicPartition, int] = {}

    def reset(self, fetcher: Fetcher) -> None:
        """Our position is not in the log (any more), or there never was one: do as ``offset_reset`` says."""
        self._asking.pop(fetcher.partition, None)
        if self._current(fetcher.partition) is not fetcher:
            return
        wiring = self._wiring
        policy = wiring.settings().offset_reset
        if policy == "fail":
            fetcher.reject("offset_out_of_range")
            return
        which = OFFSETS_LATEST if policy == "largest" else OFFSETS_EARLIEST
        destination = f"broker:{fetcher.broker}"
        due_us = wiring.network.due_us(wiring.address, destination, self._latency)
        wiring.network.send(wiring.address, destination, OffsetsRequest(fetcher.partition, which, 1), due_us)
        self._asking[fetcher.partition] = fetcher.fetch_offset
        wiring.timers.after(wiring.config.fetch_timeout_us, lambda: self._ask_again(fetcher))

    def _ask_again(self, fetcher: Fetcher) -> None:
        if self._asking.get(fetcher.partition) == fetcher.fetch_offset:
            self.reset(fetcher)

    def take(self, response: OffsetsResponse) -> None:
        """Go on where a broker says, if that is still asked."""
        partition = response.request.partition
        fetcher = self._current(partition)
        if fetcher is None or self._asking.get(partition) != fetcher.fetch_offset or not response.offsets:
            return
        was, offset = self._asking.pop(partition), response.offsets[0]
        now_us, consumer = self._wiring.timers.now_us, self._wiring.consumer
        names = consumer.group, consumer.name, partition.topic, partition.partition
        self._wiring.emit(OffsetReset(now_us, *names, was, offset))
        self._jump(fetcher, offset)
