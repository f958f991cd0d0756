"""The usage of a server's rooms: who made each one, when it was last used, and how many bytes it has on disk.

Time is *serving time*: the seconds during which a server has served this data folder, in all its runs together. A
server that is switched off lets none pass, a clock that jumps changes nothing, and neither do file times, which a
backup may restore. Serving time and uses are stored in one file while the server runs, so ``kill -9`` costs a minute.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from webapp.room.files import write_atomically

USAGE_FILE: Final = "usage.json"
UNKNOWN_CLIENT: Final = ""
SAVE_EVERY_S: Final = 60

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of one room. ``client`` is the address of its maker, ``last_used_s`` serving time.

    ``is_touched`` says whether a command was ever logged in it.
    """

    client: str
    last_used_s: int
    size_bytes: int
    is_touched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceLimits:
    """The limits on rooms and on their bytes, in all and by client."""

    rooms: int
    rooms_per_client: int
    size_bytes: int
    size_bytes_per_client: int


class UsageFile:
    """The usage of all rooms of a data folder, stored in a file; every method may be called from any thread.

    ``clock_us`` is a monotonic clock. Rooms that the file does not know count as used when it was opened.
    """

    def __init__(
        self, directory: Path, found: Mapping[str, Usage], *, clock_us: Callable[[], int], was_served_s: int = 0
    ) -> None:
        """Take the usage of the rooms of ``directory``; used by :meth:`open`."""
        self._path = directory / USAGE_FILE
        self._clock_us = clock_us
        self._was_served_s = was_served_s
        self._opened_us = clock_us()
        self._saved_us = self._opened_us
        self._lock = threading.Lock()
        self._usages = dict(found)

    @classmethod
    def open(
        cls,
        directory: Path,
        rooms: Iterable[str],
        *,
        measure: Callable[[str], tuple[int, bool]],
        clock_us: Callable[[], int],
    ) -> "UsageFile":
        """Read the file in ``directory`` for the rooms that exist; a file that cannot be read is logged and replaced.

        ``measure`` returns size and ``is_touched`` of a room that the file does not know.
        """
        was_served_s, known = _read(directory / USAGE_FILE)
        found = {
            room: known[room] if room in known else Usage(UNKNOWN_CLIENT, was_served_s, *measure(room))
            for room in rooms
        }
        return cls(directory, found, clock_us=clock_us, was_served_s=was_served_s)

    @property
    def served_s(self) -> int:
        """The serving time now, in seconds."""
        return self._was_served_s + (self._clock_us() - self._opened_us) // 1_000_000

    def add(self, room: str, client: str) -> None:
        """Add a room that ``client`` made just now."""
        with self._lock:
            self._usages[room] = Usage(client, self.served_s, 0, is_touched=False)

    def note_use(self, room: str) -> None:
        """Record that a room is in use; a room that was deleted meanwhile is ignored."""
        self._change(room, last_used_s=self.served_s)

    def note_size(self, room: str, size_bytes: int, *, is_touched: bool) -> None:
        """Record how many bytes a room has on disk, and whether a command was logged in it."""
        self._change(room, size_bytes=size_bytes, is_touched=is_touched)

    def _change(self, room: str, **changes: Any) -> None:
        with self._lock:
            if room in self._usages:
                self._usages[room] = replace(self._usages[room], **changes)

    def remove(self, room: str) -> None:
        """Remove a room that is deleted."""
        with self._lock:
            self._usages.pop(room, None)

    def idle_s(self, room: str) -> int:
        """Return for how much serving time a room was not used; 0 for one that is not here."""
        with self._lock:
            usage = self._usages.get(room)
        return max(0, self.served_s - usage.last_used_s) if usage else 0

    def is_touched(self, room: str) -> bool:
        """Return whether a command was ever logged in a room, as far as is known."""
        with self._lock:
            return room not in self._usages or self._usages[room].is_touched

    def has_space(self, client: str, limits: SpaceLimits) -> bool:
        """Return whether ``client`` may make another room without displacing one."""
        with self._lock:
            usages = dict(self._usages)
        own = _of_client(usages, client)
        return not (
            _is_full(usages, limits.rooms, limits.size_bytes)
            or _is_full(own, limits.rooms_per_client, limits.size_bytes_per_client)
        )

    def to_evict(self, client: str, limits: SpaceLimits) -> list[str]:
        """Return the rooms that may make way for a new one of ``client``, best first.

        If the client has reached a limit of its own, they are its rooms, the least recently used first. Else the rooms
        of the client who has most come first: most rooms, or most bytes where bytes are scarce. So a client who makes
        rooms without end displaces its own.
        """
        with self._lock:
            usages = dict(self._usages)
        own = _of_client(usages, client)
        if _is_full(own, limits.rooms_per_client, limits.size_bytes_per_client):
            return _least_recently_used(own)
        weight: Callable[[Mapping[str, Usage]], int] = len if len(usages) >= limits.rooms else _bytes_of
        owners = [_of_client(usages, owner) for owner in {usage.client for usage in usages.values()}]
        owners.sort(key=lambda owned: (-weight(owned), min(usage.last_used_s for usage in owned.values())))
        return [room for owned in owners for room in _least_recently_used(owned)]

    @property
    def is_save_due(self) -> bool:
        """Whether the last :meth:`save` was a minute ago."""
        return self._clock_us() - self._saved_us >= SAVE_EVERY_S * 1_000_000

    def save(self) -> None:
        """Store the usage durably; raises ``OSError``. What is stored already stays until it is replaced."""
        self._saved_us = self._clock_us()
        with self._lock:
            rooms = {room: asdict(usage) for room, usage in self._usages.items()}
        write_atomically(self._path, json.dumps({"served_s": self.served_s, "rooms": rooms}, indent=1).encode())


def _is_full(usages: Mapping[str, Usage], rooms: int, size_bytes: int) -> bool:
    return len(usages) >= rooms or _bytes_of(usages) >= size_bytes


def _bytes_of(usages: Mapping[str, Usage]) -> int:
    return sum(usage.size_bytes for usage in usages.values())


def _of_client(usages: Mapping[str, Usage], client: str) -> dict[str, Usage]:
    return {room: usage for room, usage in usages.items() if usage.client == client}


def _least_recently_used(usages: Mapping[str, Usage]) -> list[str]:
    return sorted(usages, key=lambda room: usages[room].last_used_s)


def _read(path: Path) -> tuple[int, dict[str, Usage]]:
    """Return the stored serving time and usages; zero and none if there is no file, or a damaged one."""
    try:
        stored = json.loads(path.read_bytes())
        return int(stored["served_s"]), {room: _usage_of(fields) for room, fields in stored["rooms"].items()}
    except FileNotFoundError:
        return 0, {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        logger.warning("%s cannot be read (%r); every room counts as used just now", path, error)
        return 0, {}


def _usage_of(fields: Mapping[str, Any]) -> Usage:
    usage = Usage(**fields)
    if [type(value) for value in asdict(usage).values()] != [str, int, int, bool]:
        raise ValueError("a field has a value that cannot be")
    return usage
