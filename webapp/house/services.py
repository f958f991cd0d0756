"""The parts of a running server, wired together for the views."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from engine.commands.producing import Produce
from webapp.errors import CommandTimedOut
from webapp.feed.broadcaster import Broadcaster
from webapp.house.data_directory import DataDirectory
from webapp.house.pump import Pump
from webapp.house.quotas import ViewerSeats, require_fair_produce, require_memory
from webapp.house.rooms import Rooms
from webapp.house.watched_thread import WatchedThread
from webapp.room.answers import Applied
from webapp.room.commands import Command
from webapp.room.room import Room
from webapp.settings import Settings

HOUSEKEEPING_EVERY_S = 5.0


def monotonic_us() -> int:
    """Return a monotonic wall time in microseconds."""
    return time.monotonic_ns() // 1_000


class Services:
    """The rooms, the threads for their time and their housekeeping, and the broadcaster that feeds their viewers.

    Raises ``DataDirectoryUnusable``. Nothing runs before :meth:`start`; after :meth:`stop` all files are complete.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.seats = ViewerSeats(
            in_all=settings.viewers_at_most,
            per_room=settings.viewers_per_room_at_most,
            per_client=settings.viewers_per_client_at_most,
        )
        self.broadcaster = Broadcaster()
        self._directory = DataDirectory.open(settings.data_dir)
        self.rooms = Rooms(
            self._directory,
            settings,
            wall_us=monotonic_us,
            wake=self._wake,
            is_watched=lambda room: self.seats.taken(room.record.room) > 0,
        )
        self._pump = Pump(
            self.rooms.awake,
            tell_viewers=self.broadcaster.wake_all,
            wall_us=monotonic_us,
            slice_us=settings.slice_us,
            budget_us=settings.slice_budget_us,
        )
        self._stopping = threading.Event()
        self._threads = (
            WatchedThread("pump", self._pump.step, interrupt=self._pump.interrupt),
            WatchedThread("housekeeping", self._run_housekeeping, interrupt=self._stopping.set),
        )

    def start(self) -> None:
        """Start the threads: pump, housekeeping and broadcaster."""
        for thread in self._threads:
            thread.start()
        self.broadcaster.start()

    def stop(self, *, within_s: float = 1.0) -> None:
        """Close the viewers' connections and every room."""
        for thread in self._threads:
            thread.stop()
        self.broadcaster.stop(within_s=within_s)
        self.rooms.close()
        self._directory.close()

    def perform(self, room: Room, command: Command, fields: Mapping[str, Any]) -> Applied:
        """Apply a command and wait for it; raises the error that refused it, or ``CommandTimedOut``."""
        settings = self.settings
        if isinstance(command, Produce):
            require_fair_produce(
                command,
                records_at_most=settings.produce_records_at_most,
                bytes_at_most=settings.produce_bytes_at_most,
            )
            require_memory(self.rooms.pending_bytes, bytes_at_most=settings.pending_bytes_at_most)
        future = room.submit(command, fields)
        try:
            return future.result(timeout=settings.command_timeout_ms / 1_000)
        except FutureTimeoutError:
            raise CommandTimedOut(
                f"the command was not applied within {settings.command_timeout_ms} ms; it may still be applied",
                "look at the room before you send it again",
                room=room.record.room,
            ) from None

    def health(self) -> dict[str, Any]:
        """Return the health response: status, threads, and numbers of rooms and viewers.

        The status is ``ok``, or ``failing`` if a thread is failing.
        """
        threads = {thread.name: thread.trouble or "ok" for thread in self._threads}
        return {
            "status": "ok" if set(threads.values()) == {"ok"} else "failing",
            "threads": threads,
            "rooms": self.rooms.known,
            "rooms_awake": len(self.rooms.awake()),
            "viewers": self.seats.taken_in_all(),
        }

    def _run_housekeeping(self) -> None:
        if not self._stopping.wait(HOUSEKEEPING_EVERY_S):
            self.rooms.run_housekeeping()

    def _wake(self, room: Room) -> None:
        self._pump.wake(room)
