"""A consumer: one member of a group, with streams of messages from the partitions it owns.

It owns through the registry, pulls through a :class:`~engine.fetcher.Fetcher` a partition, works through what
it has pulled in its streams (:class:`~engine.stream.Stream`), and commits its consumed positions.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from engine import events
from engine.application import MakeApplication, just_reading
from engine.config import Config, ConsumerSettings
from engine.errors import NodeExists
from engine.events import Emit
from engine.fetcher import Fetcher, Wiring, tell_failed
from engine.ids import ConsumerId, TopicPartition
from engine.network import Latency, Network
from engine.numbers import Numbers
from engine.protocol import (
    OFFSETS_EARLIEST,
    OFFSETS_LATEST,
    FetchRequest,
    FetchResponse,
    OffsetsRequest,
    OffsetsResponse,
)
from engine.rebalance import NO_BOOKMARK, Hands, Rebalance, Standing, Start
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import NO_CONVERSATION, Conversation, Drawn, RegistryClient, Wait
from engine.registry.server import ADDRESS as REGISTRY
from engine.registry.session import NO_SESSION, Ends
from engine.scheduler import ProcessTime, Scheduler, Timer
from engine.stream import Stream

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
        streams: int,
        settings: ConsumerSettings,
        config: Config,
        scheduler: Scheduler,
        network: Network,
        emit: Emit,
        numbers: Numbers,
        on_closed: Callable[[], None],
        registry: str = REGISTRY,
        application: MakeApplication = just_reading,
    ) -> None:
        self.consumer = consumer
        self.topics = tuple(topics)
        self.settings = settings
        self.paused = False
        self.frozen_until_us = 0
        self.standing = Standing()
        self.fetchers: dict[TopicPartition, Fetcher] = {}
        self.address = address_of(consumer)
        self._config = config
        self._time = ProcessTime(scheduler, self._wake)
        self._network = network
        self._emit = emit
        self._numbers = numbers
        self._latency = Latency(config.network_latency_us, config.latency_jitter_permille)
        self._rebalancing = NO_CONVERSATION
        self._member = False
        self._changed_meanwhile = False
        self._stored: dict[TopicPartition, int] = {}
        self._asking: dict[TopicPartition, int] = {}
        self._commits: dict[TopicPartition, int] = {}
        self._commit_timer: Timer | None = None
        self._unheard: deque[tuple[str, Any]] = deque()
        self._application = application(consumer, self._time, self._work)
        self.streams = [
            Stream(paths.stream(consumer.name, number), self._time, lambda: self.settings, lambda: self.paused)
            for number in range(streams)
        ]
        self._wiring = Wiring(
            self.address,
            consumer,
            config,
            self._time,
            network,
            emit,
            numbers,
            lambda: self.settings,
            lambda: self.paused,
            self._reset_position,
            self._application,
        )
        ends = Ends(self._register, self._session_lost, on_closed)
        self._registry = RegistryClient(self.address, self._time, network, config, ends, registry)
        network.attach(self.address, self)

    # --- life ---

    def start(self) -> None:
        """Open a session; the rest follows from the registry's answers."""
        self._registry.open()
        self._commit_later()

    def close(self) -> None:
        """Commit, then end the session in good order; nothing is delivered twice because of it."""
        self.standing.end("closing")
        self._emit(events.ConsumerClosing(self._time.now_us, *self._names))
        self._quiet()
        if self._registry.session != NO_SESSION:
            release = self._release_all()
            if release:
                self._registry.tell(*release)
        self._registry.close()

    def crash(self) -> int:
        """Fall silent in mid-work; returns when its last word reaches the registry, in virtual microseconds."""
        self._quiet()
        for fetcher in self.fetchers.values():
            fetcher.vanish()
        self._drop_partitions()
        self._application.vanish()
        self._registry.abandon()
        self._network.detach(self.address)
        self._end()
        return self._registry.last_heard_us

    def leave_network(self) -> None:
        """The process has ended in good order."""
        self._application.leave()
        self._network.detach(self.address)
        self._end()

    def _end(self) -> None:
        """Nothing goes on when the process would have woken up, and nobody takes what waited for that."""
        self._time.end()
        for _, message in self._unheard:
            self._network.give_up(message)

    def change(self, settings: ConsumerSettings) -> None:
        """Work with new settings from now on."""
        self.settings = settings
        self._emit(events.ConsumerChanged(self._time.now_us, *self._names, asdict(settings)))
        self._commit_later()
        self._go_on(0)

    def pause(self) -> None:
        """Keep the partitions, but pull and work no more."""
        self.paused = True
        for stream in self.streams:
            stream.rest()
        for fetcher in self.fetchers.values():
            fetcher.hold()
        self._emit(events.ConsumerPaused(self._time.now_us, *self._names))

    def resume(self) -> None:
        """Pull and work again."""
        self._emit(events.ConsumerResumed(self._time.now_us, *self._names))
        self.resume_quietly(0)

    def resume_quietly(self, delay_us: int) -> None:
        """Resume without a word, pulling first after ``delay_us``: how a scenario's consumers set out."""
        self.paused = False
        self._go_on(delay_us)

    def freeze(self, until_us: int) -> None:
        """Stand still until ``until_us`` as a process does in a long garbage collection, without knowing it."""
        self.frozen_until_us = max(until_us, self.frozen_until_us)
        self._time.stall(until_us)
        self._emit(events.ConsumerFrozen(self._time.now_us, *self._names, self.frozen_until_us))

    def _wake(self) -> None:
        self._registry.look_at_lease()

    def _go_on(self, delay_us: int) -> None:
        for fetcher in self.fetchers.values():
            fetcher.poll_after(delay_us)
        self._work()

    def _work(self) -> None:
        for stream in self.streams:
            stream.work()

    def _quiet(self) -> None:
        """No work, no rebalance, no commit goes on."""
        self._registry.cancel(self._rebalancing)
        self._rebalancing = NO_CONVERSATION
        self._forget_commits()
        for stream in self.streams:
            stream.rest()
        if self._commit_timer is not None:
            self._commit_timer.cancel()

    @property
    def _names(self) -> tuple[str, str]:
        return self.consumer.group, self.consumer.name

    # --- registry: session, membership, rebalance ---

    def _register(self) -> None:
        self._registry.start(self._join())

    def _join(self) -> Conversation:
        """Become a member, as soon as an earlier session of the same name has expired; then take a share."""
        value = paths.encode_subscription(dict.fromkeys(self.topics, len(self.streams)))
        node = ops.Create(paths.member(self.consumer), value, ephemeral=True)
        while isinstance((yield (node,))[0], NodeExists):
            yield Wait(self._config.rebalance_backoff_us)
        self._member = True
        self._begin_rebalance("joined")

    def _session_lost(self) -> None:
        """The registry has given us up, or may have: stop at once, for another may own; then come back as new.

        Until then nothing that our old session is told is for us.
        """
        self._member = False
        self._quiet()
        for fetcher in self.fetchers.values():
            fetcher.stop()
        self._drop_partitions()
        self._application.forget()
        self._commit_later()
        self._registry.open()

    def _begin_rebalance(self, cause: str) -> None:
        if self._rebalancing != NO_CONVERSATION:
            self._changed_meanwhile = True
            return
        self._changed_meanwhile = False
        hands = Hands(self._release_all, self._start_pulling)
        streams = [stream.name for stream in self.streams]
        rebalance = Rebalance(
            self._config, self._time, self._emit, self.consumer, streams, self.topics, hands, self.standing
        )
        self._rebalancing = self._registry.start(self._rebalance_and_look_again(rebalance, cause))

    def _rebalance_and_look_again(self, rebalance: Rebalance, cause: str) -> Conversation:
        yield from rebalance.run(cause)
        self._rebalancing = NO_CONVERSATION
        if self._changed_meanwhile:
            self._time.after(0, lambda: self._begin_rebalance("registry changed"))

    def _release_all(self) -> tuple[ops.Operation, ...]:
        """Stop pulling; returns the commits of what was consumed, then the deletions of the own claims.

        What the application has in hand, its position moved already, it finishes first: only a crash loses that.
        """
        self._forget_commits()
        self._application.hand_over()
        owners = {fetcher.partition: stream.name for stream in self.streams for fetcher in stream.fetchers}
        commits: list[ops.Operation] = []
        releases: list[ops.Operation] = []
        for partition, fetcher in self.fetchers.items():
            fetcher.finish_taken()
            fetcher.stop()
            if self._stored.get(partition) != fetcher.consumed_offset:
                commits.append(self._put(fetcher, 0))
            owner = paths.owner(self.consumer.group, partition, fetcher.broker)
            releases.append(ops.DeleteOwn(owner, owners[partition]))
        self._drop_partitions()
        return (*commits, *releases)

    def _drop_partitions(self) -> None:
        for stream in self.streams:
            stream.release()
        self.fetchers.clear()
        self._stored.clear()

    def _start_pulling(self, starts: Sequence[Start]) -> None:
        streams = {stream.name: stream for stream in self.streams}
        for start in starts:
            stream = streams[start.stream]
            offset = max(start.offset, 0)
            fetcher = Fetcher(self._wiring, start.partition, start.broker, offset, stream.work)
            self.fetchers[start.partition] = fetcher
            stream.fetchers.append(fetcher)
            if start.offset == NO_BOOKMARK and self.settings.offset_reset != "smallest":
                self._reset_position(fetcher)
            else:
                self._stored[start.partition] = offset
                fetcher.poll_after(0)

    # --- process ---

    def receive(self, source: str, message: Any) -> None:
        """Take one message from the network, as soon as the process is awake."""
        if self._time.stalled:
            self._unheard.append((source, message))
            self._time.after(0, lambda: self.receive(*self._unheard.popleft()))
        elif isinstance(message, FetchResponse):
            fetcher = self.fetchers.get(message.request.partition)
            if fetcher is None:
                tell_failed(self._emit, self._time.now_us, message.request, "stopped")
            else:
                fetcher.receive(message)
        elif isinstance(message, OffsetsResponse):
            self._take_reset(message)
        elif not self._registry.heard(message):
            self._emit(events.WatchDelivered(self._time.now_us, message.watch))
            if self._member and self.standing.state != "closing":
                who = "members changed" if message.path == paths.members(self.consumer.group) else "brokers changed"
                self._begin_rebalance(who)

    def bounced(self, destination: str, message: Any) -> None:
        """A broker was gone when our request came."""
        if isinstance(message, FetchRequest):
            fetcher = self.fetchers.get(message.partition)
            if fetcher is None:
                tell_failed(self._emit, self._time.now_us, message, "stopped")
            else:
                fetcher.lost(message)

    # --- positions ---

    def commit(self) -> None:
        """Send every consumed position that the registry does not have yet, one commit at a time a partition."""
        if self._registry.session == NO_SESSION:
            return
        self._application.hand_over()
        for partition, fetcher in self.fetchers.items():
            if partition not in self._commits and self._stored.get(partition) != fetcher.consumed_offset:
                self._commits[partition] = NO_CONVERSATION
                number = self._registry.start(self._store(partition, fetcher))
                self._commits[partition] = number

    def _store(self, partition: TopicPartition, fetcher: Fetcher) -> Conversation:
        number = self._numbers.next("commit")
        offset = fetcher.consumed_offset

        def tell(due_us: int) -> events.Event:
            now_us, (group, name) = self._time.now_us, self._names
            topic, index = partition.topic, partition.partition
            sent = events.CommitSent(now_us, due_us, number, group, name, topic, index, offset)
            self._emit(sent)
            return sent

        yield Drawn(self._put(fetcher, number), f"commit:{number}", tell)
        self._stored[partition] = offset
        del self._commits[partition]

    def _forget_commits(self) -> None:
        """Commits under way may land or not; nobody asks for their answers again."""
        for number in self._commits.values():
            self._registry.cancel(number)
        self._commits.clear()

    def _put(self, fetcher: Fetcher, number: int) -> ops.Put:
        node = paths.offset(self.consumer.group, fetcher.partition, fetcher.broker)
        return ops.Put(node, str(fetcher.consumed_offset), commit=number)

    def _commit_later(self) -> None:
        if self._commit_timer is not None:
            self._commit_timer.cancel()
        if self.settings.commit_interval_ms:
            interval_us = self.settings.commit_interval_ms * 1000
            self._commit_timer = self._time.after(interval_us, self._commit_now_and_later)

    def _commit_now_and_later(self) -> None:
        self.commit()
        self._commit_later()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on from ``offset`` and store it: the bookmark is moved by hand."""
        fetcher = self.fetchers[partition]
        now_us = self._time.now_us
        self._emit(events.OffsetSought(now_us, *self._names, partition.topic, partition.partition, offset))
        self._jump(fetcher, offset)

    def _jump(self, fetcher: Fetcher, offset: int) -> None:
        """Read on elsewhere, and let no commit of the old position overtake that of the new one."""
        fetcher.jump(offset)
        under_way = self._commits.pop(fetcher.partition, NO_CONVERSATION)
        self._registry.cancel(under_way)
        self._stored.pop(fetcher.partition, None)
        self.commit()
        fetcher.poll_after(0)

    def _reset_position(self, fetcher: Fetcher) -> None:
        """Our position is not in the log (any more), or there never was one: do as ``offset_reset`` says."""
        self._asking.pop(fetcher.partition, None)
        if self.fetchers.get(fetcher.partition) is not fetcher:
            return
        if self.settings.offset_reset == "fail":
            fetcher.reject("offset_out_of_range")
            return
        which = OFFSETS_LATEST if self.settings.offset_reset == "largest" else OFFSETS_EARLIEST
        destination = f"broker:{fetcher.broker}"
        due_us = self._network.due_us(self.address, destination, self._latency)
        self._network.send(self.address, destination, OffsetsRequest(fetcher.partition, which, 1), due_us)
        self._asking[fetcher.partition] = fetcher.fetch_offset
        self._time.after(self._config.fetch_timeout_us, lambda: self._ask_again(fetcher))

    def _ask_again(self, fetcher: Fetcher) -> None:
        if self._asking.get(fetcher.partition) == fetcher.fetch_offset:
            self._reset_position(fetcher)

    def _take_reset(self, response: OffsetsResponse) -> None:
        partition = response.request.partition
        fetcher = self.fetchers.get(partition)
        if fetcher is None or self._asking.get(partition) != fetcher.fetch_offset or not response.offsets:
            return
        was, offset = self._asking.pop(partition), response.offsets[0]
        now_us = self._time.now_us
        self._emit(events.OffsetReset(now_us, *self._names, partition.topic, partition.partition, was, offset))
        self._jump(fetcher, offset)
