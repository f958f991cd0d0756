"""A consumer: one member of a group, with streams of messages from the partitions it owns.

It claims partitions in the registry, fetches each through a :class:`~engine.consumer.fetcher.Fetcher`, processes the
messages in its streams (:class:`~engine.consumer.stream.Stream`), and commits its consumed positions
(:class:`~engine.consumer.offset_commits.OffsetCommits`).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from engine.config import ConsumerSettings
from engine.consumer.application import MakeApplication, just_reading
from engine.consumer.fetcher import Fetcher, Wiring, report_failed
from engine.consumer.group_member import GroupMember
from engine.consumer.offset_commits import OffsetCommits
from engine.consumer.rebalance import NO_COMMITTED_OFFSET, ConsumerState, RebalanceListener, Start
from engine.consumer.stream import Stream
from engine.errors import InvalidMessageSize, OffsetOutOfRange
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
from engine.protocol.envelope import RequestEnvelope, ResponseEnvelope
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import RegistryClient
from engine.registry.server import ADDRESS as REGISTRY
from engine.registry.session import NO_SESSION, SessionListener
from engine.runtime.process import Machine, Process, ProcessTime
from engine.runtime.scheduler import Timer

ENDED_STATES = frozenset({"closed", "crashed", "gone"})


def address_of(consumer: ConsumerId) -> str:
    """A consumer's address on the network and its name in the registry."""
    return f"consumer:{consumer}"


class Consumer(Process):
    """One consumer process, which runs until it is stopped or crashes."""

    def __init__(
        self,
        consumer: ConsumerId,
        topics: Sequence[str],
        streams: int,
        settings: ConsumerSettings,
        machine: Machine,
        on_closed: Callable[[], None],
        registry: str = REGISTRY,
        application: MakeApplication = just_reading,
    ) -> None:
        super().__init__(address_of(consumer), machine, ProcessTime(machine.scheduler, self._on_resume))
        self.consumer = consumer
        self.topics = tuple(topics)
        self.settings = settings
        self.paused = False
        self.frozen_until_us = 0
        self.state = ConsumerState()
        self.fetchers: dict[TopicPartition, Fetcher] = {}
        self._commit_timer: Timer | None = None
        self._application = application(consumer, self.time, self._work)
        self.streams = [
            Stream(paths.stream(consumer.name, number), self.time, lambda: self.settings, lambda: self.paused)
            for number in range(streams)
        ]
        self._wiring = Wiring(self, consumer, lambda: self.settings, lambda: self.paused, self._jump, self._application)
        listener = SessionListener(self._join, self._session_lost, on_closed)
        self._registry = RegistryClient(self, listener, registry)
        self._offset_commits = OffsetCommits(consumer, self, self._registry, self._application)
        self._group_member = GroupMember(
            consumer,
            self.topics,
            [stream.name for stream in self.streams],
            self,
            self._registry,
            RebalanceListener(self._release_all, self._start_fetching),
            self.state,
        )
        self.attach()

    # --- start and stop ---

    def start(self) -> None:
        """Open a session in the registry; its responses then make the consumer join its group and rebalance."""
        self._registry.open()
        self._commit_later()

    def close(self) -> None:
        """Shut down cleanly: commit, release, then close the session. This delivers no message twice."""
        self.state.end("closing")
        self.emit(ConsumerClosing(self.now_us, *self._names))
        self._stop_work()
        if self._registry.session != NO_SESSION:
            release = self._release_all()
            if release:
                self._registry.send(*release)
        self._registry.close()

    def crash(self) -> int:
        """Crash in the middle of the work; return when its last message reaches the registry (virtual microseconds)."""
        self._stop_work()
        for fetcher in self.fetchers.values():
            fetcher.cancel()
        self._drop_partitions()
        self._application.crash()
        self._registry.abandon()
        self._end()
        return self._registry.last_arrival_us

    def leave_network(self) -> None:
        """Leave the network after a clean shutdown."""
        self._application.close()
        self._end()

    def _end(self) -> None:
        """Cancel all timers and receive no more messages."""
        self.time.end()
        self.detach()

    def change(self, settings: ConsumerSettings) -> None:
        """Apply new settings from now on."""
        resolved = set()
        if settings.fetch_bytes > self.settings.fetch_bytes:
            resolved.add(InvalidMessageSize.code)
        if settings.offset_reset != self.settings.offset_reset:
            resolved.add(OffsetOutOfRange.code)
        self.settings = settings
        self.emit(ConsumerChanged(self.now_us, *self._names, asdict(settings)))
        for fetcher in self.fetchers.values():
            fetcher.resume(resolved)
        self._commit_later()
        self._continue(0)

    def pause(self) -> None:
        """Stop fetching and processing, but keep the partitions."""
        self.paused = True
        for stream in self.streams:
            stream.interrupt()
        for fetcher in self.fetchers.values():
            fetcher.pause()
        self.emit(ConsumerPaused(self.now_us, *self._names))

    def resume(self) -> None:
        """Fetch and process again."""
        self.emit(ConsumerResumed(self.now_us, *self._names))
        self.resume_quietly(0)

    def resume_quietly(self, delay_us: int) -> None:
        """Resume without an event and fetch after ``delay_us``; scenarios start their consumers this way."""
        self.paused = False
        self._continue(delay_us)

    def freeze(self, until_us: int) -> None:
        """Suspend the process until ``until_us``, as a long garbage collection does; it does not notice."""
        self.frozen_until_us = max(until_us, self.frozen_until_us)
        self.time.suspend(until_us)
        self.emit(ConsumerFrozen(self.now_us, *self._names, self.frozen_until_us))

    def _on_resume(self) -> None:
        self._registry.check_lease()

    def _continue(self, delay_us: int) -> None:
        for fetcher in self.fetchers.values():
            fetcher.poll_after(delay_us)
        self._work()

    def _work(self) -> None:
        for stream in self.streams:
            stream.work()

    def _stop_work(self) -> None:
        """Stop the work, the rebalance and the commits under way."""
        self._group_member.cancel_rebalance()
        self._offset_commits.forget_under_way()
        for stream in self.streams:
            stream.interrupt()
        if self._commit_timer is not None:
            self._commit_timer.cancel()

    @property
    def _names(self) -> tuple[str, str]:
        return self.consumer.group, self.consumer.name

    # --- registry: session, membership, rebalance ---

    def _join(self) -> None:
        self._group_member.join()

    def _session_lost(self) -> None:
        """Handle a session that has, or may have, expired: stop at once, since others may own the partitions; rejoin.

        Until then, ignore watch notifications for the old session.
        """
        self._stop_work()
        self._group_member.end()
        for fetcher in self.fetchers.values():
            fetcher.stop()
        self._drop_partitions()
        self._application.forget()
        self.state.end("expired")
        self.emit(ConsumerExpired(self.now_us, *self._names))
        self._commit_later()
        self._registry.open()

    def _release_all(self) -> tuple[ops.Operation, ...]:
        """Stop fetching; return the commits of consumed positions, then the deletions of this consumer's claims.

        Messages in work whose position has moved already are finished first: only a crash loses them.
        """
        self._offset_commits.forget_under_way()
        self._application.release()
        owners = {fetcher.partition: stream.name for stream in self.streams for fetcher in stream.fetchers}
        commits: list[ops.Operation] = []
        releases: list[ops.Operation] = []
        for partition, fetcher in self.fetchers.items():
            fetcher.finish_taken()
            fetcher.stop()
            if self._offset_commits.is_uncommitted(fetcher):
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

    def _start_fetching(self, starts: Sequence[Start]) -> None:
        streams = {stream.name: stream for stream in self.streams}
        for start in starts:
            stream = streams[start.stream]
            offset = max(start.offset, 0)
            fetcher = Fetcher(self._wiring, start.partition, start.broker, offset, stream.work)
            self.fetchers[start.partition] = fetcher
            stream.fetchers.append(fetcher)
            if start.offset != NO_COMMITTED_OFFSET:
                self._offset_commits.begin(start.partition, offset)
            elif self.settings.offset_reset != "smallest":
                fetcher.begin_without_position()
            fetcher.poll_after(0)

    # --- process ---

    def handle(self, source: str, message: Any) -> None:
        """Receive a response from a broker, or a message from the registry."""
        if isinstance(message, ResponseEnvelope):
            fetcher = self.fetchers.get(message.answers.partition)
            if fetcher is not None:
                fetcher.receive(message)
            else:
                report_failed(self, message.answers, "stopped")
        elif not self._registry.receive(message):
            self.emit(WatchDelivered(self.now_us, message.watch))
            self._group_member.changed(message.path)

    def handle_bounce(self, destination: str, message: Any) -> None:
        """Handle a request that found no broker."""
        if isinstance(message, RequestEnvelope):
            fetcher = self.fetchers.get(message.partition)
            if fetcher is not None:
                fetcher.lost(message)
            else:
                report_failed(self, message, "stopped")

    # --- positions ---

    def commit(self) -> None:
        """Commit every consumed position that the registry does not have yet."""
        if self._registry.session == NO_SESSION:
            return
        self._application.flush()
        self._offset_commits.commit(self.fetchers.values())

    def _commit_later(self) -> None:
        if self._commit_timer is not None:
            self._commit_timer.cancel()
        if self.settings.commit_interval_ms:
            interval_us = self.settings.commit_interval_ms * 1000
            self._commit_timer = self.time.after(interval_us, self._commit_now_and_later)

    def _commit_now_and_later(self) -> None:
        self.commit()
        self._commit_later()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue from ``offset`` and commit it: a person moves the committed offset."""
        fetcher = self.fetchers[partition]
        now_us = self.now_us
        self.emit(OffsetSought(now_us, *self._names, partition.topic, partition.partition, offset))
        self._jump(fetcher, offset)

    def _jump(self, fetcher: Fetcher, offset: int) -> None:
        """Continue a partition from ``offset``, and commit it."""
        fetcher.jump(offset)
        self._application.move(fetcher.partition)
        self._offset_commits.move(fetcher.partition)
        self.commit()
        fetcher.poll_after(0)
