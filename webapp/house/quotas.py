"""Limits: rooms per minute, forks at a time, records and bytes per command, viewers per room."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, IPv6Network, ip_address

from engine.commands.producing import Produce
from webapp.errors import ProduceTooLarge, RoomsTooFast, TooManyForks, TooManyViewers, TooMuchPending

MINUTE_US = 60_000_000
LOOK_EVERY_S = 0.25


def client_of(address: str) -> str:
    """Return the client behind an address: an IPv6 client has a whole /64 network, and often changes its address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))
    return str(parsed)


class RoomsPerMinute:
    """A limit on rooms in a sliding minute, per address; ``wall_us`` is a monotonic clock in microseconds.

    ``kind`` names the counted rooms in the error's message.
    """

    def __init__(self, at_most: int, *, kind: str = "rooms", wall_us: Callable[[], int]) -> None:
        self._at_most = at_most
        self._kind = kind
        self._wall_us = wall_us
        self._lock = threading.Lock()
        self._made: dict[str, deque[int]] = {}

    def count(self, address: str) -> None:
        """Count one more room of ``address``; raises ``RoomsTooFast`` if it has reached the limit."""
        now_us = self._wall_us()
        with self._lock:
            self._drop_before(now_us - MINUTE_US)
            made = self._made.setdefault(address, deque())
            if len(made) >= self._at_most:
                wait_s = (made[0] + MINUTE_US - now_us) // 1_000_000 + 1
                raise RoomsTooFast(
                    f"your address has made {self._at_most} {self._kind} within a minute",
                    f"try again in {wait_s} seconds, or use a room that you have",
                    rooms_per_minute=self._at_most,
                    retry_after_s=wait_s,
                )
            made.append(now_us)

    def _drop_before(self, begin_us: int) -> None:
        for address in list(self._made):
            made = self._made[address]
            while made and made[0] <= begin_us:
                made.popleft()
            if not made:
                del self._made[address]


class ForkTurns:
    """A limit on forks at a time; others wait for at most ``timeout_s``."""

    def __init__(self, at_once: int, *, timeout_s: int) -> None:
        self._turns = threading.Semaphore(at_once)
        self._timeout_s = timeout_s

    @contextmanager
    def one(self, require_wanted: Callable[[], None]) -> Iterator[None]:
        """Hold a turn; raises ``TooManyForks`` if none is free in time, and whatever ``require_wanted`` raises."""
        looks = max(1, round(self._timeout_s / LOOK_EVERY_S))
        for _ in range(looks):
            require_wanted()
            if self._turns.acquire(timeout=self._timeout_s / looks):
                break
        else:
            raise TooManyForks(
                f"other rooms are being forked, and none was finished within {self._timeout_s} seconds",
                "try again in a moment",
                retry_after_s=self._timeout_s,
            )
        try:
            yield
        finally:
            self._turns.release()


class ViewerSeats:
    """A limit on viewers: in each room, of each client, and in all."""

    def __init__(self, *, in_all: int, per_room: int, per_client: int) -> None:
        self._in_all = in_all
        self._per_room = per_room
        self._per_client = per_client
        self._lock = threading.Lock()
        self._rooms: Counter[str] = Counter()
        self._clients: Counter[str] = Counter()

    def take(self, room: str, client: str) -> None:
        """Take a viewer's seat in ``room``; raises ``TooManyViewers`` if none is free."""
        with self._lock:
            here, yours, in_all = self._rooms[room], self._clients[client], self._rooms.total()
            if here >= self._per_room or yours >= self._per_client or in_all >= self._in_all:
                raise TooManyViewers(
                    f"{here} watch this room, {yours} from your address and {in_all} the whole server, and that is the "
                    "limit",
                    "watch on another person's screen, or try again when others have left",
                    room=room,
                    viewers=here,
                )
            self._rooms[room] += 1
            self._clients[client] += 1

    def give_back(self, room: str, client: str) -> None:
        """Free the seat of a viewer of ``room``."""
        with self._lock:
            for counts, name in ((self._rooms, room), (self._clients, client)):
                counts[name] -= 1
                if not counts[name]:
                    del counts[name]

    def taken(self, room: str) -> int:
        """Return how many viewers ``room`` has."""
        with self._lock:
            return self._rooms[room]

    def taken_in_all(self) -> int:
        """Return how many viewers all rooms have."""
        with self._lock:
            return self._rooms.total()


def require_fair_produce(command: Produce, *, records_at_most: int, bytes_at_most: int) -> None:
    """Raise ``ProduceTooLarge`` if a command exceeds the limits."""
    if command.records:
        records = len(command.records)
        size_bytes = sum(len(key.encode()) + len(value.encode()) for key, value in command.records)
    else:
        records = command.count
        size_bytes = command.count * command.size
    if records > records_at_most or size_bytes > bytes_at_most:
        raise ProduceTooLarge(
            f"{records} records of {size_bytes} bytes are more than one command may send",
            f"send at most {records_at_most} records and {bytes_at_most} bytes at once",
            command="produce",
            records=records,
            bytes=size_bytes,
        )


def require_memory(pending_bytes: int, *, bytes_at_most: int) -> None:
    """Raise ``TooMuchPending`` if all rooms together hold too many bytes in memory."""
    if pending_bytes > bytes_at_most:
        raise TooMuchPending(
            f"{pending_bytes} bytes of messages wait or are in flight in all rooms together, and that is the limit",
            "let time run in your room, and try again in a moment",
            pending_bytes=pending_bytes,
            retry_after_s=5,
        )
