"""A consumer: one member of a group, with streams of messages from the partitions it owns.

It owns through the registry, pulls through a :class:`~engine.consumer.fetcher.Fetcher` a partition, works through what
it has pulled in its streams (:class:`~engine.consumer.stream.Stream`), and commits its consumed positions
(:class:`~engine.consumer.offset_commits.OffsetCommits`).
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from engine.config import Config, ConsumerSettings
from engine.consumer.application import MakeApplication, just_reading
from engine.consumer.fetcher import Fetcher, Wiring, tell_failed
from engine.consumer.group_member import GroupMember
from engine.consumer.offset_commits import OffsetCommits
from engine.consumer.rebalance import NO_BOOKMARK, ConsumerState, RebalanceListener, Start
from engine.consumer.stream import Stream
from engine.errors import InvalidMessageSize, OffsetOutOfRange
from engine.events.base import Emit
from engine.events.consuming import (
    ConsumerChanged,
    ConsumerClosing,
    ConsumerExpired,
    ConsumerFrozen,
    ConsumerPaused,
    ConsumerResumed,
    OffsetSought,
)
from engine.events.registry import WatchDelivered
from engine.ids import ConsumerId, TopicPartition
from engine.protocol.messages import FetchRequest, FetchResponse, OffsetsRequest, OffsetsResponse
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import RegistryClient
from engine.registry.server import ADDRESS as REGISTRY
from engine.registry.session import NO_SESSION, SessionListener
from engine.runtime.network import Network, Unheard
from engine.runtime.scheduler import ProcessTime, Scheduler, Timer
from engine.runtime.sequence_numbers import SequenceNumbers

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
        numbers: SequenceNumbers,
        on_closed: Callable[[], None],
        registry: str = REGISTRY,
        application: MakeApplication = just_reading,
    ) -> None:
        self.consumer = consumer
        self.topics = tuple(topics)
        self.settings = settings
        self.paused = False
        self.frozen_until_us = 0
        self.state = ConsumerState()
        self.fetchers: dict[TopicPartition, Fetcher] = {}
        self.address = address_of(consumer)
        self._config = config
        self._time = ProcessTime(scheduler, self._wake)
        self._network = network
        self._emit = emit
        self._commit_timer: Timer | None = None
        self._unheard: deque[Unheard] = deque()
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
            self._jump,
            self._application,
        )
        listener = SessionListener(self._join, self._session_lost, on_closed)
        self._registry = RegistryClient(self.address, self._time, network, config, listener, registry)
        self._offset_commits = OffsetCommits(consumer, self._registry, self._time, emit, numbers, self._application)
        self._group_member = GroupMember(
            consumer,
            self.topics,
            [stream.name for stream in self.streams],
            config,
            self._time,
            emit,
            self._registry,
            RebalanceListener(self._release_all, self._start_pulling),
            self.state,
        )
        network.attach(self.address, self)

    # --- life ---

    def start(self) -> None:
        """Open a session; the rest follows from the registry's answers."""
        self._registry.open()
        self._commit_later()

    def close(self) -> None:
        """Commit, then end the session in good order; nothing is delivered twice because of it."""
        self.state.end("closing")
        self._emit(ConsumerClosing(self._time.now_us, *self._names))
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
        for unheard in self._unheard:
            unheard.take()
            self._network.give_up(unheard.message)

    def change(self, settings: ConsumerSettings) -> None:
        """Work with new settings from now on."""
        mended = set()
        if settings.fetch_bytes > self.settings.fetch_bytes:
            mended.add(InvalidMessageSize.code)
        if settings.offset_reset != self.settings.offset_reset:
            mended.add(OffsetOutOfRange.code)
        self.settings = settings
        self._emit(ConsumerChanged(self._time.now_us, *self._names, asdict(settings)))
        for fetcher in self.fetchers.values():
            fetcher.resume(mended)
        self._commit_later()
        self._go_on(0)

    def pause(self) -> None:
        """Keep the partitions, but pull and work no more."""
        self.paused = True
        for stream in self.streams:
            stream.rest()
        for fetcher in self.fetchers.values():
            fetcher.hold()
        self._emit(ConsumerPaused(self._time.now_us, *self._names))

    def resume(self) -> None:
        """Pull and work again."""
        self._emit(ConsumerResumed(self._time.now_us, *self._names))
        self.resume_quietly(0)

    def resume_quietly(self, delay_us: int) -> None:
        """Resume without a word, pulling first after ``delay_us``: how a scenario's consumers set out."""
        self.paused = False
        self._go_on(delay_us)

    def freeze(self, until_us: int) -> None:
        """Stand still until ``until_us`` as a process does in a long garbage collection, without knowing it."""
        self.frozen_until_us = max(until_us, self.frozen_until_us)
        self._time.stall(until_us)
        self._emit(ConsumerFrozen(self._time.now_us, *self._names, self.frozen_until_us))

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
        self._group_member.rest()
        self._offset_commits.forget_under_way()
        for stream in self.streams:
            stream.rest()
        if self._commit_timer is not None:
            self._commit_timer.cancel()

    @property
    def _names(self) -> tuple[str, str]:
        return self.consumer.group, self.consumer.name

    # --- registry: session, membership, rebalance ---

    def _join(self) -> None:
        self._group_member.join()

    def _session_lost(self) -> None:
        """The registry has given us up, or may have: stop at once, for another may own; then come back as new.

        Until then nothing that our old session is told is for us.
        """
        self._quiet()
        self._group_member.lose()
        for fetcher in self.fetchers.values():
            fetcher.stop()
        self._drop_partitions()
        self._application.forget()
        self.state.end("expired")
        self._emit(ConsumerExpired(self._time.now_us, *self._names))
        self._commit_later()
        self._registry.open()

    def _release_all(self) -> tuple[ops.Operation, ...]:
        """Stop pulling; returns the commits of what was consumed, then the deletions of the own claims.

        What the application has in hand, its position moved already, it finishes first: only a crash loses that.
        """
        self._offset_commits.forget_under_way()
        self._application.release()
        owners = {fetcher.partition: stream.name for stream in self.streams for fetcher in stream.fetchers}
        commits: list[ops.Operation] = []
        releases: list[ops.Operation] = []
        for partition, fetcher in self.fetchers.items():
            fetcher.finish_taken()
            fetcher.stop()
            if self._offset_commits.lacks(fetcher):
                commits.append(self._offset_commits.put(fetcher, 0))
            owner = paths.owner(self.consumer.group, partition, fetcher.broker)
            releases.append(ops.DeleteOwn(owner, owners[partition]))
        self._application.forget()
        self._drop_partitions()
        return (*commits, *releases)

    def _drop_partitions(self) -> None:
        for stream in self.streams:
            stream.release()
        self.fetchers.clear()
        self._offset_commits.forget_stored()

    def _start_pulling(self, starts: Sequence[Start]) -> None:
        streams = {stream.name: stream for stream in self.streams}
        for start in starts:
            stream = streams[start.stream]
            offset = max(start.offset, 0)
            fetcher = Fetcher(self._wiring, start.partition, start.broker, offset, stream.work)
            self.fetchers[start.partition] = fetcher
            stream.fetchers.append(fetcher)
            if start.offset != NO_BOOKMARK:
                self._offset_commits.begin(start.partition, offset)
            elif self.settings.offset_reset != "smallest":
                fetcher.lack_position()
            fetcher.poll_after(0)

    # --- process ---

    def receive(self, source: str, message: Any) -> None:
        """Take one message from the network, as soon as the process is awake."""
        if self._time.stalled:
            self._put_off(source, message, self.receive)
        elif isinstance(message, FetchResponse):
            fetcher = self.fetchers.get(message.request.partition)
            if fetcher is None:
                tell_failed(self._emit, self._time.now_us, message.request, "stopped")
            else:
                fetcher.receive(message)
        elif isinstance(message, OffsetsResponse):
            if message.request.partition in self.fetchers:
                self.fetchers[message.request.partition].receive_offsets(message)
        elif not self._registry.heard(message):
            self._emit(WatchDelivered(self._time.now_us, message.watch))
            self._group_member.changed(message.path)

    def _put_off(self, party: str, message: Any, hear: Callable[[str, Any], None]) -> None:
        self._unheard.append(Unheard(party, message, self._network.put_off()))
        self._time.after(0, lambda: self._hear(hear))

    def _hear(self, hear: Callable[[str, Any], None]) -> None:
        unheard = self._unheard.popleft()
        unheard.take()
        hear(unheard.source, unheard.message)

    def bounced(self, destination: str, message: Any) -> None:
        """A broker was gone when our request came; the process learns that as soon as it is awake."""
        if self._time.stalled:
            self._put_off(destination, message, self.bounced)
        elif isinstance(message, FetchRequest | OffsetsRequest):
            fetcher = self.fetchers.get(message.partition)
            if fetcher is not None:
                fetcher.lost(message)
            elif isinstance(message, FetchRequest):
                tell_failed(self._emit, self._time.now_us, message, "stopped")

    # --- positions ---

    def commit(self) -> None:
        """Send every consumed position that the registry does not have yet."""
        if self._registry.session == NO_SESSION:
            return
        self._application.hand_over()
        self._offset_commits.commit(self.fetchers.values())

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
        self._emit(OffsetSought(now_us, *self._names, partition.topic, partition.partition, offset))
        self._jump(fetcher, offset)

    def _jump(self, fetcher: Fetcher, offset: int) -> None:
        """Read on elsewhere, and store that."""
        fetcher.jump(offset)
        self._application.move(fetcher.partition)
        self._offset_commits.move(fetcher.partition)
        self.commit()
        fetcher.poll_after(0)
