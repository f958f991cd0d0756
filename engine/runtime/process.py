"""A process: an address on the network, its own view of time, and how it sends and receives.

Brokers, the registry, producers, consumers, mirrors and simple consumers are processes.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.config import Config
from engine.events.base import Emit, Event
from engine.runtime.network import Latency, Network
from engine.runtime.scheduler import Action, Scheduler, Timer
from engine.runtime.sequence_numbers import SequenceNumbers

RESUME_PRIORITY = -1
"""A process that resumes after a pause checks its session before it does what fell due meanwhile."""

Departure = Callable[[int], Event]
"""Makes the event that reports a departure, given when the message will arrive (virtual microseconds)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What every process of a cluster shares: settings, time, network, the journal and sequence numbers."""

    config: Config
    scheduler: Scheduler
    network: Network
    emit: Emit
    numbers: SequenceNumbers

    @property
    def latency(self) -> Latency:
        """The latency between clients and brokers."""
        return Latency(self.config.network_latency_us, self.config.latency_jitter_permille)

    @property
    def registry_latency(self) -> Latency:
        """The latency to and from the registry."""
        return Latency(self.config.registry_latency_us, self.config.latency_jitter_permille)


class ProcessTime:
    """One process's view of virtual time; it can be suspended for a while (a long pause of its runtime).

    What falls due meanwhile is done in order when the process resumes; ``on_resume`` is called first.
    """

    def __init__(self, scheduler: Scheduler, on_resume: Action) -> None:
        self._scheduler = scheduler
        self._on_resume = on_resume
        self._suspended_until_us = scheduler.now_us
        self._ended = False

    @property
    def now_us(self) -> int:
        """The virtual time in microseconds."""
        return self._scheduler.now_us

    @property
    def suspended(self) -> bool:
        """Whether the process is suspended."""
        return self._scheduler.now_us < self._suspended_until_us

    def suspend(self, until_us: int) -> None:
        """Suspend the process until ``until_us``."""
        self._suspended_until_us = max(until_us, self._suspended_until_us)
        self._scheduler.at(self._suspended_until_us, self._resume, priority=RESUME_PRIORITY)

    def end(self) -> None:
        """Run no more timers: the process has ended."""
        self._ended = True

    def at(self, due_us: int, action: Action, *, priority: int = 0) -> Timer:
        """As :meth:`Scheduler.at`, but not while the process is suspended."""
        timer = Timer(due_us, action)
        self._scheduler.post(max(due_us, self._scheduler.now_us), self._fire, timer, priority)
        return timer

    def after(self, delay_us: int, action: Action, *, priority: int = 0) -> Timer:
        """As :meth:`Scheduler.after`, but not while the process is suspended."""
        return self.at(self._scheduler.now_us + delay_us, action, priority=priority)

    def _fire(self, timer: Timer) -> None:
        if self._ended:
            timer.cancel()
        elif self.suspended and timer.pending:
            self._scheduler.post(self._suspended_until_us, self._fire, timer)
        else:
            timer.fire()

    def _resume(self) -> None:
        if not self.suspended and not self._ended:
            self._on_resume()


def never_resumes() -> None:
    """Do nothing: the ``on_resume`` of a process that is never suspended."""


Handle = Callable[[str, Any], None]
"""Handles a message, given its source, or the destination that it came back from."""


@dataclass(frozen=True, slots=True)
class _Undelivered:
    """A message that arrived, or bounced, while the process was suspended; ``landed`` ends its flight."""

    handle: Handle
    peer: str
    message: Any
    landed: Callable[[], None]


class Process(ABC):
    """The base of all processes; a subclass defines in :meth:`handle` what it does with a message."""

    def __init__(self, address: str, machine: Machine, time: ProcessTime) -> None:
        self.address = address
        self.machine = machine
        self.time = time
        self._undelivered: deque[_Undelivered] = deque()

    def attach(self) -> None:
        """Become reachable."""
        self.machine.network.attach(self.address, self)

    def detach(self) -> None:
        """Stop being reachable; what was sent already still travels, what waited to be delivered is lost."""
        self.machine.network.detach(self.address)
        for waiting in self._undelivered:
            waiting.landed()
            self.machine.network.lose(waiting.message)
        self._undelivered.clear()

    def emit(self, event: Event) -> None:
        """Append an event to the journal."""
        self.machine.emit(event)

    @property
    def now_us(self) -> int:
        """The virtual time in microseconds."""
        return self.time.now_us

    # --- sending ---

    def send_message(self, destination: str, message: Any, latency: Latency) -> int:
        """Send a message that the picture does not show; return when it arrives."""
        network = self.machine.network
        due_us = network.due_us(self.address, destination, latency)
        network.send(self.address, destination, message, due_us)
        return due_us

    def send_flight(self, destination: str, message: Any, latency: Latency, flight: str, departure: Departure) -> int:
        """Send a message, report its departure, and show it as ``flight`` until it lands; return when that is."""
        network = self.machine.network
        due_us = network.due_us(self.address, destination, latency)
        departed = departure(due_us)
        self.machine.emit(departed)
        network.send_flight(self.address, destination, message, flight, departed, due_us)
        return due_us

    # --- receiving ---

    def receive(self, source: str, message: Any) -> None:
        """Take a message from the network, as soon as the process is not suspended."""
        self._deliver(self.handle, source, message)

    def bounced(self, destination: str, message: Any) -> None:
        """Learn that a message found no process at its destination, as soon as this one is not suspended."""
        self._deliver(self.handle_bounce, destination, message)

    def _deliver(self, handle: Handle, peer: str, message: Any) -> None:
        """Handle a message now, or after those that already wait, so that none overtakes another after a pause."""
        if not self.time.suspended and not self._undelivered:
            handle(peer, message)
            return
        landed = self.machine.network.keep_flight()
        self._undelivered.append(_Undelivered(handle, peer, message, landed))
        self.time.after(0, self._deliver_oldest)

    def _deliver_oldest(self) -> None:
        """Handle the message that has waited longest, whichever timer fired: a longer pause reorders the timers.

        None is left where the process has detached in between.
        """
        if not self._undelivered:
            return
        waiting = self._undelivered.popleft()
        waiting.landed()
        waiting.handle(waiting.peer, waiting.message)

    @abstractmethod
    def handle(self, source: str, message: Any) -> None:
        """Handle a message."""

    @abstractmethod
    def handle_bounce(self, destination: str, message: Any) -> None:
        """Handle a message that found no process at its destination (a refused connection)."""
