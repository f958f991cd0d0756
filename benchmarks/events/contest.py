"""Whole clusters against the clock: with journal and viewers, without the one, without both, and no cluster at all."""

import heapq
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from benchmarks.compare import Comparison, compare, rates
from benchmarks.events.audience import VIEWERS, Audience
from benchmarks.events.workloads import SINGLE_MESSAGES, WORKLOADS, Workload
from benchmarks.goals import Goal, at_least
from benchmarks.measure import Subject, require
from engine.cluster.cluster import Cluster
from engine.config import SECOND_US
from engine.events.producing import BatchSent
from engine.journal.journal import Journal

WHOLE: Final = f"journaled and sent to {VIEWERS} viewers"
NO_VIEWERS: Final = "journaled, no viewers"
NO_JOURNAL: Final = "nothing written"
NO_CLUSTER: Final = f"no cluster: a heap, journal, {VIEWERS} viewers"
SLICE_US: Final = 100_000
SKELETON_SLICE: Final = 2_000
PENDING: Final = 1_000
WANTED_A_SECOND: Final = 60_000
READ_BYTES: Final = 1 << 22

Prepared = Callable[[], None]


def title_of(workload: Workload) -> str:
    """The title of a workload's comparison."""
    return f"events of a cluster: {workload.name}"


def event_contests(folder: Path, rounds: int, seconds: float = 1.0) -> list[Comparison]:
    """Each workload by itself; ``seconds`` stretches or shortens the virtual time that is measured."""
    return [event_contest(folder, workload, rounds, seconds) for workload in WORKLOADS]


def event_contest(folder: Path, workload: Workload, rounds: int, seconds: float) -> Comparison:
    """One cluster in its four forms. All make the same events; how many those are is counted beforehand."""
    until_us = round(workload.seconds * seconds * SECOND_US)
    events = _count(folder, workload, until_us)
    subjects = [
        _Whole(folder, workload, until_us, events).subject(WHOLE),
        _Journaled(folder, workload, until_us, events).subject(NO_VIEWERS),
        _Muted(folder, workload, until_us, events).subject(NO_JOURNAL),
        _Skeleton(folder, workload, until_us, events).subject(NO_CLUSTER),
    ]
    return compare(title_of(workload), "events", subjects, rounds)


def event_goals(contests: Mapping[str, Comparison]) -> Iterator[Goal]:
    """The goal is held against single messages: each is sent, appended and read as events of its own."""
    title = title_of(SINGLE_MESSAGES)
    if title in contests:
        text = f"events a second simulated, journaled and encoded for {VIEWERS} viewers ({SINGLE_MESSAGES.name})"
        yield at_least(text, WANTED_A_SECOND, rates(contests[title], WHOLE))


def _count(folder: Path, workload: Workload, duration_us: int) -> int:
    run = _Journaled(folder, workload, duration_us, 0)
    run.prepare()()
    events = events_from(run.journal, run.begin_offset)
    run.end()
    return events


def events_from(journal: Journal, offset: int) -> int:
    """How many events a journal holds from ``offset`` on."""
    events = 0
    while offset < journal.end_offset:
        chunk = journal.read(offset, READ_BYTES)
        events += len(chunk.payloads)
        offset = chunk.next_offset
    return events


class _Journaled:
    """A cluster that writes its journal as a room does: published slice by slice, to a file."""

    journal: Journal
    cluster: Cluster
    begin_offset: int

    def __init__(self, folder: Path, workload: Workload, duration_us: int, events: int) -> None:
        self._folder = folder / "room"
        self._workload = workload
        self._duration_us = duration_us
        self._events = events

    def subject(self, name: str) -> Subject:
        """Everybody takes part in the same way."""
        return Subject(name, self._events, self.prepare, self.verify)

    def prepare(self) -> Prepared:
        """A cluster that has settled."""
        self._begin()
        return self._run

    def _begin(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self.journal = Journal.open(self._folder / "journal")
        self.cluster = self._workload.begin(self._folder, self.journal)
        self.begin_offset = self.cluster.publish()

    def _run(self) -> None:
        cluster = self.cluster
        end_us = cluster.now_us + self._duration_us
        while cluster.now_us < end_us:
            cluster.run_until(min(cluster.now_us + SLICE_US, end_us))
            cluster.publish()

    def verify(self) -> None:
        """The journal has every event."""
        require(events_from(self.journal, self.begin_offset) == self._events, "the journal lacks events")
        self.end()

    def end(self) -> None:
        """Let go of the files."""
        self.cluster.close()
        self.journal.close()


class _Whole(_Journaled):
    """The same with viewers, who get each slice when it has been published."""

    _audience: Audience

    def _begin(self) -> None:
        super()._begin()
        self._audience = Audience(self.journal)

    def _run(self) -> None:
        cluster, audience = self.cluster, self._audience
        end_us = cluster.now_us + self._duration_us
        while cluster.now_us < end_us:
            cluster.run_until(min(cluster.now_us + SLICE_US, end_us))
            cluster.publish()
            audience.show()

    def verify(self) -> None:
        """Each viewer has had every byte of every event."""
        with self._audience as audience:
            _require_all_seen(audience, self.journal, self.begin_offset, self._events)
        super().verify()


class _Muted(_Journaled):
    """The cluster alone: its events are made, and not written."""

    def _begin(self) -> None:
        super()._begin()
        self.cluster.muted = True

    def verify(self) -> None:
        """It came as far as the others did, and wrote nothing."""
        require(self.journal.end_offset == self.begin_offset, "the cluster was not mute")
        require(not self.cluster.check(), "the cluster broke its own rules")
        self.end()


class _Skeleton(_Journaled):
    """What is left without a model: a heap that is never empty, an event for each entry, journal and viewers."""

    _audience: Audience

    def _begin(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self.journal = Journal.open(self._folder / "journal")
        self.begin_offset = 0
        self._audience = Audience(self.journal)

    def _run(self) -> None:
        journal, audience = self.journal, self._audience
        heap = [(number, 0, number, number) for number in range(PENDING)]
        for number in range(self._events):
            at_us, _, _, batch = heapq.heappop(heap)
            heapq.heappush(heap, (at_us + PENDING, 0, number + PENDING, batch))
            journal.append(BatchSent(at_us, at_us + 500, batch, "clicks", 0, 1, "", 1, 200, "none", 2))
            if number % SKELETON_SLICE == SKELETON_SLICE - 1:
                journal.publish()
                audience.show()
        journal.publish()
        audience.show()

    def verify(self) -> None:
        """Each viewer has had every byte of every event."""
        with self._audience as audience:
            _require_all_seen(audience, self.journal, 0, self._events)
        require(events_from(self.journal, 0) == self._events, "the journal lacks events")
        self.journal.close()


def _require_all_seen(audience: Audience, journal: Journal, begin_offset: int, events: int) -> None:
    overhead_bytes = 9 * events  # of a message in the journal; frames have commas instead, and heads
    least_bytes = journal.end_offset - begin_offset - overhead_bytes
    seen = audience.leave()
    require(len(seen) == VIEWERS and min(seen) >= least_bytes, "a viewer lacks bytes")
