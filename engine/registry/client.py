"""A process's tie to the registry: one session, its heartbeats, and conversations that read like a recipe.

A conversation is a generator. It yields a tuple of operations and is resumed with their outcomes one round trip
later, or yields a :class:`Wait` and is resumed when that has passed. So the paper's Algorithm 1 can be written
down line by line although every line takes time.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from engine.errors import NodeExists, SessionExpired
from engine.events import Event
from engine.network import Latency, Network
from engine.registry import operations as ops
from engine.registry.server import ADDRESS as REGISTRY
from engine.scheduler import Scheduler, Timer


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for ``delay_us``."""

    delay_us: int


Outcomes = tuple[ops.Outcome, ...]
Conversation = Generator[tuple[ops.Operation, ...] | Wait, Outcomes, None]
NO_SESSION = 0


class RegistryClient:
    """The registry as one process sees it; ``address`` is also the client's name there."""

    def __init__(
        self,
        address: str,
        scheduler: Scheduler,
        network: Network,
        latency: Latency,
        heartbeat_interval_us: int,
        on_session: Callable[[], None],
        on_session_lost: Callable[[], None],
        on_closed: Callable[[], None],
    ) -> None:
        self._address = address
        self._scheduler = scheduler
        self._network = network
        self._latency = latency
        self._heartbeat_interval_us = heartbeat_interval_us
        self._on_session = on_session
        self._on_session_lost = on_session_lost
        self._on_closed = on_closed
        self._heartbeat: Timer | None = None
        self._conversations: dict[int, Conversation] = {}
        self._waits: dict[int, Timer] = {}
        self._last_request = 0
        self._closing = False
        self.session = NO_SESSION
        self.last_heard_us = scheduler.now_us

    # --- session ---

    def open(self) -> None:
        """Ask for a session; ``on_session`` is called when it is there."""
        self._send(ops.OpenSession(self._address))

    def close(self) -> None:
        """End the session in good order, dropping conversations; ``on_closed`` is called when the registry has it."""
        self.abandon()
        self._closing = True
        if self.session != NO_SESSION:
            self._send(ops.CloseSession(self.session))

    def abandon(self) -> None:
        """Stop talking: no heartbeat, no conversation goes on. The registry keeps the session until it expires."""
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        for timer in self._waits.values():
            timer.cancel()
        self._waits.clear()
        self._conversations.clear()

    def heard(self, message: Any) -> bool:
        """Take an answer of the registry; ``False`` if it is a watch's notice, which is the owner's to handle."""
        match message:
            case ops.SessionGranted(session=session):
                self._take_session(session)
            case ops.SessionGone(expired=True):
                self._lose_session()
            case ops.SessionGone():
                self.session = NO_SESSION
                self._on_closed()
            case ops.Response(request=request, outcomes=outcomes):
                self._take_outcomes(request, outcomes)
            case _:
                return False
        return True

    def _take_session(self, session: int) -> None:
        self.session = session
        if self._closing:
            self._send(ops.CloseSession(session))
        else:
            self._beat()
            self._on_session()

    def _beat(self) -> None:
        self._heartbeat = self._scheduler.after(self._heartbeat_interval_us, self._beat)
        if self.session != NO_SESSION:
            self._send(ops.Heartbeat(self.session))

    def _lose_session(self) -> None:
        if self.session != NO_SESSION:
            self.session = NO_SESSION
            self.abandon()
            self._on_session_lost()

    # --- conversations ---

    def start(self, conversation: Conversation) -> int:
        """Begin a conversation; the number returned can cancel it."""
        self._last_request += 1
        number = self._last_request
        self._conversations[number] = conversation
        self._resume(number, ())
        return number

    def cancel(self, number: int) -> None:
        """End a conversation where it stands; operations already sent still happen at the registry."""
        self._conversations.pop(number, None)
        timer = self._waits.pop(number, None)
        if timer is not None:
            timer.cancel()

    def tell(self, *operations: ops.Operation) -> None:
        """Send operations whose outcomes nobody waits for."""
        self._send(ops.Request(self.session, 0, operations))

    def claim(self, path: str, value: str, retry_us: int) -> None:
        """Create an ephemeral node, trying again while an earlier session of ours still holds it."""
        self.start(self._claim(path, value, retry_us))

    def _claim(self, path: str, value: str, retry_us: int) -> Conversation:
        while isinstance((yield (ops.Create(path, value, ephemeral=True),))[0], NodeExists):
            yield Wait(retry_us)

    def departure(self) -> int:
        """Draw when an operation sent now would land, in virtual microseconds; pass it to :meth:`tell_drawn`."""
        return self._network.due_us(self._address, REGISTRY, self._latency)

    def tell_drawn(self, operation: ops.Operation, name: str, flight: Event, due_us: int) -> None:
        """Like :meth:`tell`, for an operation that the picture shows on its way."""
        self.last_heard_us = due_us
        request = ops.Request(self.session, 0, (operation,))
        self._network.send_drawn(self._address, REGISTRY, request, name, flight, due_us)

    def _resume(self, number: int, outcomes: Outcomes) -> None:
        conversation = self._conversations[number]
        try:
            wanted = conversation.send(outcomes) if outcomes else next(conversation)
        except StopIteration:
            self._conversations.pop(number, None)
            return
        if number not in self._conversations:
            return
        if isinstance(wanted, Wait):
            self._waits[number] = self._scheduler.after(wanted.delay_us, lambda: self._wake(number))
        elif wanted:
            self._send(ops.Request(self.session, number, wanted))
        else:
            self._scheduler.after(0, lambda: self._wake(number))

    def _wake(self, number: int) -> None:
        self._waits.pop(number, None)
        if number in self._conversations:
            self._resume(number, ())

    def _take_outcomes(self, number: int, outcomes: Outcomes) -> None:
        if any(isinstance(outcome, SessionExpired) for outcome in outcomes):
            self._lose_session()
        elif number in self._conversations:
            self._resume(number, outcomes)

    def _send(self, message: object) -> None:
        due_us = self.departure()
        self.last_heard_us = due_us
        self._network.send(self._address, REGISTRY, message, due_us)
