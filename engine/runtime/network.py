"""The network between the processes of a cluster: messages take virtual time, and stay in order on each link."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple, Protocol

from engine.config import NEVER_US
from engine.events.base import Emit, Event
from engine.events.network import LinkChanged, MessageDropped
from engine.runtime.random_draws import Draw, draws_below
from engine.runtime.scheduler import Scheduler


class Endpoint(Protocol):
    """A process with an address (see :class:`~engine.runtime.process.Process`)."""

    def receive(self, source: str, message: Any) -> None:
        """Take a message that has arrived."""

    def bounced(self, destination: str, message: Any) -> None:
        """Take back a message that found no process at its destination (a refused connection)."""


ANY_INCARNATION = 0
NO_FLIGHT = ""
NOTHING_LANDING: tuple[str, dict[str, Event]] = (NO_FLIGHT, {})


class Latency(NamedTuple):
    """The travel time of a message: a base, and the thousandths of it by which it varies at random either way."""

    base_us: int
    jitter_permille: int

    def draws(self, chance: Random) -> Draw:
        """Return a function that draws travel times in microseconds."""
        base_us, around_us = self.base_us, self.base_us * self.jitter_permille // 1000
        if not around_us:
            return lambda: base_us
        least_us, draw = base_us - around_us, draws_below(chance, 2 * around_us + 1)
        return lambda: least_us + draw()


@dataclass(frozen=True, slots=True)
class LinkFault:
    """The fault of a link between two processes, in both directions.

    A ``cut`` link carries nothing; ``loss_permille`` of the messages are lost; all are delayed by ``delay_us``.
    """

    cut: bool = False
    loss_permille: int = 0
    delay_us: int = 0


NO_FAULT = LinkFault()
Link = tuple[str, str]
Flight = tuple[str, str, Any, int, int, str, bool]
"""Source, destination, message, the incarnations of both at departure, the flight's name, whether it gets lost."""
Listener = Callable[[Any], None]
Lost = Callable[[Any, str], None]
"""Called with a message that will never be handled, and why: ``cut`` or ``lost``, or both ends are ``gone``."""


def link_between(one: str, other: str) -> Link:
    """Return the name of the link between two addresses, in whichever order they are given."""
    return (one, other) if one <= other else (other, one)


class Network:
    """The network: delivers each message after its latency, never before an earlier one on the same link.

    A message may carry the event that reports its departure (its *flight*). Until it lands or is lost, :attr:`flights`
    lists it, so that a picture that starts now knows what is in flight. A message that will never be handled (both ends
    are gone, or the network lost it) is passed to ``on_lost``.
    """

    def __init__(self, scheduler: Scheduler, chance: Random, emit: Emit, on_lost: Lost) -> None:
        self._scheduler = scheduler
        self._chance = chance
        self._emit = emit
        self._on_lost = on_lost
        self._processes: dict[str, Endpoint] = {}
        self._incarnations: dict[str, int] = {}
        self._draws: dict[Latency, Draw] = {}
        self._link_clear_us: dict[tuple[str, str], int] = {}
        self._flights: dict[str, Event] = {}
        self._landing = NOTHING_LANDING
        self._link_faults: dict[Link, LinkFault] = {}
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every message when it is sent, whether or not it arrives."""
        self._listeners.append(listener)

    @property
    def flights(self) -> Iterable[tuple[str, Event]]:
        """The flights that have not landed: (name, departure event), in order of departure."""
        return self._flights.items()

    # --- links ---

    @property
    def link_faults(self) -> Iterable[tuple[Link, LinkFault]]:
        """The links with a fault, and their faults."""
        return self._link_faults.items()

    def set_link_fault(self, link: Link, fault: LinkFault) -> None:
        """Set the fault of a link, or clear it (``NO_FAULT``)."""
        if fault == NO_FAULT:
            self._link_faults.pop(link, None)
        else:
            self._link_faults[link] = fault
        changed = LinkChanged(self._scheduler.now_us, link[0], link[1], fault.cut, fault.loss_permille, fault.delay_us)
        self._emit(changed)

    def _fault_of(self, source: str, destination: str) -> LinkFault:
        return self._link_faults.get(link_between(source, destination), NO_FAULT)

    # --- processes ---

    def attach(self, address: str, process: Endpoint) -> None:
        """Make a process reachable."""
        assert address not in self._processes, f"{address} is attached twice"
        self._processes[address] = process
        self._incarnations[address] = self._incarnations.get(address, 0) + 1

    def detach(self, address: str) -> None:
        """Make a process unreachable; what it has already sent still travels."""
        del self._processes[address]

    # --- messages ---

    def due_us(self, source: str, destination: str, latency: Latency) -> int:
        """Draw when a message sent now would land; pass it to :meth:`send` at once."""
        draw = self._draws.get(latency)
        if draw is None:
            draw = self._draws[latency] = latency.draws(self._chance)
        due_us = self._scheduler.now_us + draw()
        if self._link_faults:
            due_us += self._fault_of(source, destination).delay_us
        return max(due_us, self._link_clear_us.get((source, destination), -NEVER_US))

    def send(self, source: str, destination: str, message: Any, due_us: int, name: str = NO_FLIGHT) -> None:
        """Send a message that lands at ``due_us`` (from :meth:`due_us`)."""
        for listener in self._listeners:
            listener(message)
        self._link_clear_us[(source, destination)] = due_us
        lost = False
        if self._link_faults:
            loss_permille = self._fault_of(source, destination).loss_permille
            lost = loss_permille > 0 and self._chance.randrange(1000) < loss_permille
        incarnations = self._incarnations
        source_incarnation = incarnations[source] if source in self._processes else ANY_INCARNATION
        destination_incarnation = incarnations[destination] if destination in self._processes else ANY_INCARNATION
        flight = (source, destination, message, source_incarnation, destination_incarnation, name, lost)
        self._scheduler.post(due_us, self._deliver, flight)

    def send_flight(self, source: str, destination: str, message: Any, name: str, flight: Event, due_us: int) -> None:
        """Like :meth:`send`, for a message that the picture shows under ``name`` while it travels."""
        self._flights[name] = flight
        self.send(source, destination, message, due_us, name)

    def keep_flight(self) -> Callable[[], None]:
        """Keep the flight that is landing now in :attr:`flights` until the returned function is called."""
        name, flights = self._landing
        self._flights.update(flights)

        def landed() -> None:
            self._flights.pop(name, None)

        return landed

    def lose(self, message: Any) -> None:
        """Report a message that arrived at a process which ended before it took the message."""
        self._on_lost(message, "gone")

    def _deliver(self, flight: Flight) -> None:
        """Deliver a message to the incarnation that it was sent to: a restarted process has new connections."""
        source, destination, message, source_incarnation, destination_incarnation, name, lost = flight
        if name in self._flights:  # a message sent twice under one name is shown until the first one lands
            self._landing = name, {name: self._flights.pop(name)}
        else:
            self._landing = NOTHING_LANDING
        if lost or (self._link_faults and self._fault_of(source, destination).cut):
            now_us, cause = self._scheduler.now_us, "lost" if lost else "cut"
            self._emit(MessageDropped(now_us, source, destination, name, cause))
            self._on_lost(message, cause)
        elif destination in self._processes and destination_incarnation in (
            ANY_INCARNATION,
            self._incarnations[destination],
        ):
            self._processes[destination].receive(source, message)
        elif source in self._processes and source_incarnation == self._incarnations[source]:
            self._processes[source].bounced(destination, message)
        else:
            self._on_lost(message, "gone")
