"""A consumer: one member of a group, with a stream of messages from the partitions it owns.

It owns through the registry, pulls through a :class:`~engine.fetcher.Fetcher` a partition, works through what
it has pulled at its own speed, and commits its consumed positions. A position moves *after* the work is done,
so that a crash delivers again rather than loses (the paper's at-least-once; 0.7 moved it before).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from engine import events
from engine.assignment import Placed
from engine.config import Config, ConsumerSettings
from engine.errors import NodeExists
from engine.events import Emit
from engine.fetcher import Fetcher, Wiring, tell_failed
from engine.ids import ConsumerId, TopicPartition
from engine.network import Latency, Network
from engine.numbers import Numbers
from engine.protocol import OFFSETS_EARLIEST, FetchRequest, FetchResponse, OffsetsRequest, OffsetsResponse
from engine.rebalance import Hands, Rebalance, Standing
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import NO_SESSION, Conversation, RegistryClient, Wait
from engine.scheduler import Scheduler, Timer

WORK_SLICE_US = 50_000
"""Above one message a slice, messages are worked through several at a time."""
NO_CONVERSATION = 0
ENDED_STATES = frozenset({"closed", "crashed", "gone"})


def address_of(consumer: ConsumerId) -> str:
    """A consumer's address on the network and its name in the registry."""
    return f"consumer:{consumer}"


class Consumer:
    """One consumer process, alive until it is stopped or crashes."""

    def __init__(
        self,
        consumer: ConsumerId,
        topics: Sequence[str],
        settings: ConsumerSettings,
        config: Config,
        scheduler: Scheduler,
        network: Network,
        emit: Emit,
        numbers: Numbers,
        on_closed: Callable[[], None],
    ) -> None:
        self.consumer = consumer
        self.topics = tuple(topics)
        self.settings = settings
        self.paused = False
        self.standing = Standing()
        self.fetchers: dict[TopicPartition, Fetcher] = {}
        self.address = address_of(consumer)
        self._config = config
        self._scheduler = scheduler
        self._network = network
        self._emit = emit
        self._numbers = numbers
        self._rebalancing = NO_CONVERSATION
        self._changed_meanwhile = False
        self._work: Timer | None = None
        self._next_worked = 0
        self._committed: dict[TopicPartition, int] = {}
        self._commit_timer: Timer | None = None
        self._wiring = Wiring(
            config,
            scheduler,
            network,
            emit,
            numbers,
            lambda: self.settings,
            lambda: self.paused,
            self._work_on,
            self._reset_position,
        )
        self._registry = RegistryClient(
            self.address,
            scheduler,
            network,
            Latency(config.registry_latency_us, config.latency_jitter_permille),
            config.heartbeat_interval_us,
            self._register,
            self._session_lost,
            on_closed,
        )
        network.attach(self.address, self)

    # --- life ---

    def start(self) -> None:
        """Open a session; the rest follows from the registry's answers."""
        self._registry.open()
        self._commit_later()

    def close(self) -> None:
        """Commit, then end the session in good order; nothing is delivered twice because of it."""
        self.standing.end("closing")
        self._emit(events.ConsumerClosing(self._scheduler.now_us, *self._names))
        self._quiet()
        if self._registry.session != NO_SESSION:
            release = self._release_all()
            if release:
                self._registry.tell(*release)
        self._registry.close()

    def crash(self) -> int:
        """Fall silent in mid-work; returns when the registry will notice, in virtual microseconds."""
        self._quiet()
        for fetcher in self.fetchers.values():
            fetcher.hold()
        self.fetchers.clear()
        self._registry.abandon()
        self._network.detach(self.address)
        return self._registry.last_heard_us + self._config.session_timeout_us

    def leave_network(self) -> None:
        """The process has ended in good order."""
        self._network.detach(self.address)

    def change(self, settings: ConsumerSettings) -> None:
        """Work with new settings from now on."""
        self.settings = settings
        self._emit(events.ConsumerChanged(self._scheduler.now_us, *self._names, asdict(settings)))
        self._commit_later()
        self._work_on()

    def pause(self) -> None:
        """Keep the partitions, but pull and work no more."""
        self.paused = True
        if self._work is not None:
            self._work.cancel()
        for fetcher in self.fetchers.values():
            fetcher.hold()
        self._emit(events.ConsumerPaused(self._scheduler.now_us, *self._names))

    def resume(self) -> None:
        """Pull and work again."""
        self._emit(events.ConsumerResumed(self._scheduler.now_us, *self._names))
        self.resume_quietly(0)

    def resume_quietly(self, delay_us: int) -> None:
        """Resume without a word, pulling first after ``delay_us``: how a scenario's consumers set out."""
        self.paused = False
        for fetcher in self.fetchers.values():
            if not fetcher.buffered:
                fetcher.poll_after(delay_us)
        if any(fetcher.buffered for fetcher in self.fetchers.values()):
            self._work_on()

    def _quiet(self) -> None:
        self._registry.cancel(self._rebalancing)
        self._rebalancing = NO_CONVERSATION
        for timer in (self._work, self._commit_timer):
            if timer is not None:
                timer.cancel()

    @property
    def _names(self) -> tuple[str, str]:
        return self.consumer.group, self.consumer.name

    # --- registry: session, membership, rebalance ---

    def _register(self) -> None:
        value = paths.encode_subscription(dict.fromkeys(self.topics, 1))
        self._registry.start(self._join(value))

    def _join(self, subscription: str) -> Conversation:
        """Become a member, as soon as an earlier session of the same name has expired; then take a share."""
        node = ops.Create(paths.member(self.consumer), subscription, ephemeral=True)
        while isinstance((yield (node,))[0], NodeExists):
            yield Wait(self._config.rebalance_backoff_us)
        self._begin_rebalance("joined")

    def _session_lost(self) -> None:
        """The registry gave us up: stop at once, for another may own by now; then come back as new."""
        self._quiet()
        for fetcher in self.fetchers.values():
            fetcher.stop()
        self.fetchers.clear()
        self._commit_later()
        self._registry.open()

    def _begin_rebalance(self, cause: str) -> None:
        if self._rebalancing != NO_CONVERSATION:
            self._changed_meanwhile = True
            return
        self._changed_meanwhile = False
        hands = Hands(self._release_all, self._start_pulling)
        rebalance = Rebalance(
            self._config, self._scheduler, self._emit, self.consumer, self.topics, hands, self.standing
        )
        self._rebalancing = self._registry.start(self._rebalance_and_look_again(rebalance, cause))

    def _rebalance_and_look_again(self, rebalance: Rebalance, cause: str) -> Conversation:
        yield from rebalance.run(cause)
        self._rebalancing = NO_CONVERSATION
        if self._changed_meanwhile:
            self._scheduler.after(0, lambda: self._begin_rebalance("registry changed"))

    def _release_all(self) -> tuple[ops.Operation, ...]:
        """Stop pulling; returns the commits of what was consumed, then the deletions of the own claims."""
        if self._work is not None:
            self._work.cancel()
        commits: list[ops.Operation] = []
        releases: list[ops.Operation] = []
        for partition, fetcher in self.fetchers.items():
            fetcher.stop()
            if self._committed.get(partition) != fetcher.consumed_offset:
                commits.append(self._commit_operation(fetcher, 0))
            owner = paths.owner(self.consumer.group, partition, fetcher.broker)
            releases.append(ops.DeleteOwn(owner, paths.stream(self.consumer.name)))
        self.fetchers.clear()
        self._committed.clear()
        return (*commits, *releases)

    def _start_pulling(self, offsets: Mapping[Placed, int]) -> None:
        for (broker, partition), offset in offsets.items():
            fetcher = Fetcher(self._wiring, self.address, self.consumer, partition, broker, offset)
            self.fetchers[partition] = fetcher
            self._committed[partition] = offset
            if not self.paused:
                fetcher.poll_after(0)

    # --- process ---

    def receive(self, source: str, message: Any) -> None:
        """Take one message from the network."""
        if isinstance(message, FetchResponse):
            fetcher = self.fetchers.get(message.request.partition)
            if fetcher is None:
                tell_failed(self._emit, self._scheduler.now_us, message.request, "stopped")
            else:
                fetcher.receive(message)
        elif isinstance(message, OffsetsResponse):
            self._take_reset(message)
        elif isinstance(message, ops.WatchNotice):
            self._emit(events.WatchDelivered(self._scheduler.now_us, message.watch))
            if self._registry.session != NO_SESSION:
                who = "members changed" if message.path == paths.members(self.consumer.group) else "brokers changed"
                self._begin_rebalance(who)
        else:
            self._registry.heard(message)

    def bounced(self, destination: str, message: Any) -> None:
        """A broker was gone when our request came."""
        if isinstance(message, FetchRequest):
            fetcher = self.fetchers.get(message.partition)
            if fetcher is None:
                tell_failed(self._emit, self._scheduler.now_us, message, "stopped")
            else:
                fetcher.lost(message)
        elif isinstance(message, OffsetsRequest) and message.partition in self.fetchers:
            fetcher = self.fetchers[message.partition]
            self._scheduler.after(self._config.fetch_backoff_us, lambda: self._reset_position(fetcher))

    # --- work ---

    def _work_on(self) -> None:
        """Take up work if there is some and nothing is being worked on."""
        if self.paused or (self._work is not None and self._work.pending):
            return
        if any(fetcher.buffered for fetcher in self.fetchers.values()):
            period_us = max(WORK_SLICE_US, round(1_000_000 / self.settings.messages_per_second))
            self._work = self._scheduler.after(period_us, lambda: self._finish_work(period_us))
        else:
            for fetcher in self.fetchers.values():
                fetcher.poll_when_due()

    def _finish_work(self, period_us: int) -> None:
        """The application is done with a slice of work: positions move, the partitions taking turns."""
        capacity = max(1, round(self.settings.messages_per_second * period_us / 1_000_000))
        busy = [fetcher for fetcher in self.fetchers.values() if fetcher.buffered]
        self._next_worked += 1
        for turn in range(len(busy)):
            capacity -= self._consume(busy[(self._next_worked + turn) % len(busy)], capacity)
            if capacity == 0:
                break
        self._work_on()

    def _consume(self, fetcher: Fetcher, most: int) -> int:
        offset = fetcher.consumed_offset
        taken = fetcher.take(most)
        partition = fetcher.partition
        self._emit(
            events.MessagesConsumed(
                self._scheduler.now_us,
                *self._names,
                partition.topic,
                partition.partition,
                offset,
                fetcher.consumed_offset,
                len(taken),
            )
        )
        if not fetcher.buffered:
            fetcher.poll_when_due()
        return len(taken)

    # --- positions ---

    def commit(self) -> None:
        """Send every consumed position that the registry does not have to the registry."""
        if self._registry.session == NO_SESSION:
            return
        for partition, fetcher in self.fetchers.items():
            if self._committed.get(partition) == fetcher.consumed_offset:
                continue
            number = self._numbers.next("commit")
            due_us = self._registry.departure()
            sent = events.CommitSent(
                self._scheduler.now_us,
                due_us,
                number,
                *self._names,
                partition.topic,
                partition.partition,
                fetcher.consumed_offset,
            )
            self._emit(sent)
            self._registry.tell_drawn(self._commit_operation(fetcher, number), f"commit:{number}", sent, due_us)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on from ``offset`` and store it: the bookmark is moved by hand."""
        fetcher = self.fetchers[partition]
        fetcher.jump(offset)
        now_us = self._scheduler.now_us
        self._emit(events.OffsetSought(now_us, *self._names, partition.topic, partition.partition, offset))
        self.commit()
        if not self.paused:
            fetcher.poll_after(0)

    def _commit_operation(self, fetcher: Fetcher, number: int) -> ops.Put:
        self._committed[fetcher.partition] = fetcher.consumed_offset
        node = paths.offset(self.consumer.group, fetcher.partition, fetcher.broker)
        return ops.Put(node, str(fetcher.consumed_offset), commit=number)

    def _commit_later(self) -> None:
        if self._commit_timer is not None:
            self._commit_timer.cancel()
        interval_us = self.settings.commit_interval_ms * 1000
        self._commit_timer = self._scheduler.after(interval_us, self._commit_now_and_later)

    def _commit_now_and_later(self) -> None:
        self.commit()
        self._commit_later()

    def _reset_position(self, fetcher: Fetcher) -> None:
        """Our position is not in the log (any more): ask the broker for its smallest offset (autooffset.reset)."""
        request = OffsetsRequest(fetcher.partition, OFFSETS_EARLIEST, 1)
        destination = f"broker:{fetcher.broker}"
        latency = Latency(self._config.network_latency_us, self._config.latency_jitter_permille)
        due_us = self._network.due_us(self.address, destination, latency)
        self._network.send(self.address, destination, request, due_us)

    def _take_reset(self, response: OffsetsResponse) -> None:
        fetcher = self.fetchers.get(response.request.partition)
        if fetcher is None or not response.offsets:
            return
        was = fetcher.fetch_offset
        fetcher.jump(response.offsets[0])
        partition = fetcher.partition
        now_us = self._scheduler.now_us
        self._emit(
            events.OffsetReset(now_us, *self._names, partition.topic, partition.partition, was, response.offsets[0])
        )
        self.commit()
        if not self.paused:
            fetcher.poll_after(0)
