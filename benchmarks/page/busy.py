"""How long the server keeps a viewer waiting while it repeats the long lives of other rooms beside a flood."""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from websocket import ABNF, WebSocket, create_connection

from benchmarks.page.past import HOUR_US, TWENTY_A_SECOND, write_life
from benchmarks.page.processor import ThreadTimes, times_of
from benchmarks.page.stage import PATIENCE_S, Room, Server, make_room, serving

FLOOD_SETTLES_S = 3.0
ALONE_S = 10.0
ASKED_EVERY_S = 0.005
CREDIT_BYTES = 1_000_000
RESTORES = 2
FORKS = 2  # as many as are made at a time: on a slow machine another might be refused


@dataclass(slots=True)
class Waits:
    """What a viewer saw in a stretch of time: answers to its pings, and how far frames were apart.

    ``own_ms`` is how much of each answer's way the server itself can have caused: no more than it used a processor in,
    and not that in which one of its threads was ready and had none, since other programs had them.
    """

    answers_ms: list[float] = field(default_factory=list)
    own_ms: list[float] = field(default_factory=list)
    gaps_ms: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Percentiles by the clock, and the longest by processor time."""
        answers, gaps = sorted(self.answers_ms), sorted(self.gaps_ms)
        return {
            "answers": len(answers),
            "median_ms": answers[len(answers) // 2],
            "percentile_99_ms": answers[int(len(answers) * 0.99)],
            "longest_ms": answers[-1],
            "longest_own_ms": max(self.own_ms),
            "frames": len(gaps),
            "median_gap_ms": gaps[len(gaps) // 2],
            "longest_gap_ms": gaps[-1],
        }


class Viewer:
    """A plain client of a room's feed that pings all the time, in a thread of its own."""

    def __init__(self, room: Room, server: Server) -> None:
        address = f"{server.base_url.replace('http', 'ws', 1)}/api/rooms/{room.room}/feed"
        self._feed: WebSocket = create_connection(address, timeout=PATIENCE_S)
        self._server_id = server.process_id
        self._credit_bytes = 0
        self._frame_at_s = time.monotonic()
        self._waits = Waits()
        self._is_done = False
        self._thread = threading.Thread(target=self._watch, name="viewer")
        self._pull("checkpoint")
        self._thread.start()

    def during(self, work: Callable[[], object]) -> dict[str, float]:
        """What was seen while ``work`` was done."""
        self._waits = waits = Waits()
        work()
        self._waits = Waits()
        return waits.figures()

    def close(self) -> None:
        """Look no longer."""
        self._is_done = True
        self._thread.join()
        self._feed.close()

    def _watch(self) -> None:
        while not self._is_done:
            begin_s, before = time.monotonic(), self._threads()
            self._feed.ping()
            self._read_until_pong()
            answer_ms = 1_000 * (time.monotonic() - begin_s)
            waits = self._waits
            waits.answers_ms.append(answer_ms)
            waits.own_ms.append(own_part(answer_ms, before, self._threads()))
            time.sleep(ASKED_EVERY_S)

    def _read_until_pong(self) -> None:
        while True:
            kind, data = self._feed.recv_data(control_frame=True)
            if kind == ABNF.OPCODE_PONG:
                return
            now_s = time.monotonic()
            self._waits.gaps_ms.append(1_000 * (now_s - self._frame_at_s))
            self._frame_at_s = now_s
            self._credit_bytes -= len(data)
            if self._credit_bytes < CREDIT_BYTES // 2:
                self._pull(json.loads(data)["next"])

    def _pull(self, place: int | str) -> None:
        self._credit_bytes = CREDIT_BYTES
        self._feed.send(json.dumps({"pull": place, "max_bytes": CREDIT_BYTES, "digest": True}))

    def _threads(self) -> Mapping[str, ThreadTimes]:
        """What the threads of the server have used and waited for so far; those that end meanwhile are missing."""
        found = {path.name: times_of(path) for path in Path(f"/proc/{self._server_id}/task").iterdir()}
        return {thread: one for thread, times in found.items() for one in times}


def own_part(answer_ms: float, before: Mapping[str, ThreadTimes], after: Mapping[str, ThreadTimes]) -> float:
    """At most so much of an answer's way was the server's own doing."""
    none = ThreadTimes(0, 0)
    spent = [(now, before.get(thread, none)) for thread, now in after.items()]
    used_ms = sum(now.used_ms - was.used_ms for now, was in spent)
    kept_waiting_ms = max((now.ready_ms - was.ready_ms for now, was in spent), default=0)
    return max(0.0, min(used_ms, answer_ms - kept_waiting_ms))


def beside_a_flood(directory: Path) -> dict[str, dict[str, float]]:
    """A flood that somebody watches: alone, while hours are restored, and while one of them is forked."""
    hours = [write_life(directory, TWENTY_A_SECOND, HOUR_US) for _ in range(RESTORES)]
    with serving(directory) as server:
        viewer = Viewer(_flooded(server), server)
        lives = [Room(server.base_url, life.room, life.key) for life in hours]
        try:
            return {
                "flood_alone": viewer.during(lambda: time.sleep(ALONE_S)),
                "restoring_beside_a_flood": viewer.during(lambda: _all_at_once(_restore, lives)),
                "forking_beside_a_flood": viewer.during(lambda: _all_at_once(_fork, [lives[0]] * FORKS)),
            }
        finally:
            viewer.close()


def _flooded(server: Server) -> Room:
    room = make_room(server.base_url)
    room.act("set_producer", rate_per_second=10_000, batch_messages=100, queue_messages=4_000)
    time.sleep(FLOOD_SETTLES_S)
    return room


def _restore(room: Room) -> None:
    with urlopen(f"{room.base_url}/api/rooms/{room.room}", timeout=PATIENCE_S) as answer:
        answer.read()


def _fork(room: Room) -> None:
    room.act("fork")


def _all_at_once(work: Callable[[Room], None], rooms: Sequence[Room]) -> None:
    with ThreadPoolExecutor(len(rooms)) as threads:
        list(threads.map(work, rooms))
