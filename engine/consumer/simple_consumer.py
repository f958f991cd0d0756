"""The simple consumer of 0.7: fetch, multi-fetch, offsets before a time. Where to read is entirely its caller's affair.

An answer that does not come, or a broker that is not there, is asked once more over a new connection (0.7:
SimpleConsumer); then the caller is told, by an error in what it gets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.config import Config
from engine.consumer.fetcher import decode
from engine.events.base import Emit
from engine.events.simple_consuming import PullFailed, PullReceived, PullSent
from engine.ids import BrokerId, TopicPartition
from engine.message.message_set import DeepMessage
from engine.protocol.messages import (
    FetchRequest,
    FetchResponse,
    MultiFetchRequest,
    MultiFetchResponse,
    OffsetsRequest,
    OffsetsResponse,
)
from engine.runtime.network import Latency, Network
from engine.runtime.scheduler import Scheduler, Timer
from engine.runtime.sequence_numbers import SequenceNumbers

NO_GROUP = ""
TRIES = 2
Failed = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fetch:
    """What a caller wants: up to ``max_bytes`` of a partition from ``offset`` on."""

    partition: TopicPartition
    offset: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """What it gets: the whole messages, and the offset behind them; ``error`` is "" or what ended the reading.

    ``size_bytes`` is how much came. Fewer than 4 bytes are no error of themselves (0.7), and no message either.
    """

    fetch: Fetch
    messages: tuple[DeepMessage, ...]
    next_offset: int
    error: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Offsets:
    """Offsets before a time, newest first; ``error`` is "" or why there are none to be had."""

    offsets: tuple[int, ...]
    error: str


@dataclass(slots=True)
class _Asked:
    """A question that waits for its answer."""

    broker: BrokerId
    request: MultiFetchRequest | OffsetsRequest
    tries_left: int
    fetches: tuple[Fetch, ...]
    on_answer: Callable[[Any], None]
    on_failure: Failed
    patience: Timer


class SimpleConsumer:
    """A process that pulls for its owner from ``address``, alive until :meth:`vanish`."""

    def __init__(
        self, address: str, config: Config, scheduler: Scheduler, network: Network, emit: Emit, numbers: SequenceNumbers
    ) -> None:
        self.address = address
        self._config = config
        self._scheduler = scheduler
        self._network = network
        self._emit = emit
        self._numbers = numbers
        self._latency = Latency(config.network_latency_us, config.latency_jitter_permille)
        self._asked: list[_Asked] = []
        network.attach(address, self)

    def vanish(self) -> None:
        """Pull no more and wait for nothing."""
        for asked in self._asked:
            asked.patience.cancel()
        self._asked.clear()
        self._network.detach(self.address)

    # --- asking ---

    def fetch(self, broker: BrokerId, fetch: Fetch, on_answer: Callable[[Fetched], None]) -> None:
        """Read one partition."""
        self.multi_fetch(broker, (fetch,), lambda answers: on_answer(answers[0]))

    def multi_fetch(
        self, broker: BrokerId, fetches: Sequence[Fetch], on_answer: Callable[[tuple[Fetched, ...]], None]
    ) -> None:
        """Read several partitions of one broker in one exchange; the answers come in the order of ``fetches``."""
        wanted = tuple(fetches)

        def fail(error: str) -> None:
            on_answer(tuple(Fetched(one, (), one.offset, error) for one in wanted))

        self._pull(broker, wanted, TRIES, on_answer, fail)

    def offsets_before(
        self,
        broker: BrokerId,
        partition: TopicPartition,
        time_us: int,
        max_offsets: int,
        on_answer: Callable[[Offsets], None],
    ) -> None:
        """Offsets at which reading can begin, before a virtual time, ``OFFSETS_LATEST`` or ``OFFSETS_EARLIEST``."""
        request = OffsetsRequest(self._numbers.next("offsets"), partition, time_us, max_offsets)
        self._ask(broker, request, TRIES, (), on_answer, lambda error: on_answer(Offsets((), error)))

    # --- sending ---

    def _pull(
        self,
        broker: BrokerId,
        fetches: tuple[Fetch, ...],
        tries_left: int,
        on_answer: Callable[[tuple[Fetched, ...]], None],
        on_failure: Failed,
    ) -> None:
        pull = self._numbers.next("pull")
        requests = tuple(
            FetchRequest(pull, NO_GROUP, self.address, one.partition, one.offset, one.max_bytes) for one in fetches
        )
        request = MultiFetchRequest(pull, self.address, requests)
        self._ask(broker, request, tries_left, fetches, on_answer, on_failure)

    def _ask(
        self,
        broker: BrokerId,
        request: MultiFetchRequest | OffsetsRequest,
        tries_left: int,
        fetches: tuple[Fetch, ...],
        on_answer: Callable[[Any], None],
        on_failure: Failed,
    ) -> None:
        destination = f"broker:{broker}"
        due_us = self._network.due_us(self.address, destination, self._latency)
        patience = self._scheduler.after(self._config.fetch_timeout_us, lambda: self._fail(asked, "timeout"))
        asked = _Asked(broker, request, tries_left - 1, fetches, on_answer, on_failure, patience)
        self._asked.append(asked)
        if isinstance(request, MultiFetchRequest):
            places = tuple((str(one.partition), one.offset) for one in fetches)
            sent = PullSent(self._scheduler.now_us, due_us, request.pull, self.address, broker, places)
            self._emit(sent)
            self._network.send_drawn(self.address, destination, request, f"pull:{request.pull}", sent, due_us)
        else:
            self._network.send(self.address, destination, request, due_us)

    def _fail(self, asked: _Asked, reason: str) -> None:
        """Ask once more, or tell the caller."""
        self._settle(asked)
        if isinstance(asked.request, MultiFetchRequest):
            self._tell_failed(asked.request, reason)
        if not asked.tries_left:
            asked.on_failure(reason)
        elif isinstance(asked.request, MultiFetchRequest):
            self._pull(asked.broker, asked.fetches, asked.tries_left, asked.on_answer, asked.on_failure)
        else:
            again = replace(asked.request, number=self._numbers.next("offsets"))
            self._ask(asked.broker, again, asked.tries_left, (), asked.on_answer, asked.on_failure)

    def _settle(self, asked: _Asked) -> None:
        asked.patience.cancel()
        self._asked.remove(asked)

    def _tell_failed(self, request: MultiFetchRequest, reason: str) -> None:
        self._emit(PullFailed(self._scheduler.now_us, request.pull, request.client, reason))

    # --- process ---

    def receive(self, source: str, message: Any) -> None:
        """Take an answer, or let it be if nobody waits for it any more."""
        assert isinstance(message, MultiFetchResponse | OffsetsResponse)
        waiting = [asked for asked in self._asked if asked.request == message.request]
        if waiting and isinstance(message, MultiFetchResponse):
            self._settle(waiting[0])
            most_bytes = self._config.decoded_max_bytes
            asked_and_answered = zip(waiting[0].fetches, message.answers, strict=True)
            answers = tuple([_decoded(fetch, answer, most_bytes) for fetch, answer in asked_and_answered])
            messages = sum(len(answer.messages) for answer in answers)
            pull = message.request
            self._emit(PullReceived(self._scheduler.now_us, pull.pull, pull.client, messages))
            waiting[0].on_answer(answers)
        elif waiting and isinstance(message, OffsetsResponse):
            self._settle(waiting[0])
            waiting[0].on_answer(Offsets(message.offsets, message.error))
        elif isinstance(message, MultiFetchResponse):
            self._tell_failed(message.request, "stopped")

    def bounced(self, destination: str, message: Any) -> None:
        """The broker was not there."""
        waiting = [asked for asked in self._asked if asked.request == message]
        if waiting:
            self._fail(waiting[0], "broker_down")
        elif isinstance(message, MultiFetchRequest):
            self._tell_failed(message, "stopped")


def _decoded(fetch: Fetch, response: FetchResponse, most_bytes: int) -> Fetched:
    """The good messages of an answer; an error after them is told along with them."""
    if response.error:
        return Fetched(fetch, (), fetch.offset, response.error)
    found, error = decode(response.data, fetch.offset, most_bytes)
    next_offset = found[-1][1] if found else fetch.offset
    return Fetched(fetch, tuple(map(DeepMessage._make, found)), next_offset, error, len(response.data))
