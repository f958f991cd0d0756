"""A process's client for the registry: one session, and conversations over it.

A conversation is a generator. It yields a tuple of operations and is resumed with their outcomes one round trip
later, or yields a :class:`Wait` and is resumed when that has passed. So the paper's Algorithm 1 can be written
line by line, although every line takes time. A request without a response is sent again; the registry does no write
twice, since another client may own the node by then.
"""

from collections.abc import Generator
from typing import Any

from engine.errors import NodeExists, SessionExpired
from engine.registry import operations as ops
from engine.registry.server import ADDRESS as REGISTRY
from engine.registry.session import Session, SessionListener
from engine.runtime.process import Departure, Process
from engine.runtime.scheduler import Timer
from engine.values import value

NO_CONVERSATION = 0


@value
class Wait:
    """A pause of a conversation, in microseconds."""

    delay_us: int


@value
class Tracked:
    """An operation that the journal shows as ``flight``; ``departure`` makes the event that reports its departure."""

    operation: ops.Operation
    flight: str
    departure: Departure


Wanted = tuple[ops.Operation, ...] | Wait | Tracked
Outcomes = tuple[ops.Outcome, ...]
Conversation = Generator[Wanted, Outcomes, None]


class RegistryClient:
    """A process's client for the registry at address ``registry``; the process's address is the client's name there."""

    def __init__(self, process: Process, listener: SessionListener, registry: str = REGISTRY) -> None:
        config = process.machine.config
        self._process = process
        self._registry = registry
        self._timers = process.time
        self._latency = process.machine.registry_latency
        self._request_timeout_us = config.session_timeout_us // 2
        self._on_lost = listener.on_lost
        self._conversations: dict[int, Conversation] = {}
        self._requests: dict[int, int] = {}
        self._timers_of: dict[int, Timer] = {}
        self._last_conversation = 0
        self._last_request = 0
        self.last_arrival_us = process.time.now_us
        """When the last message of this client reaches the registry, in virtual microseconds."""
        self._session = Session(
            process.address,
            process.time,
            self._send,
            config.heartbeat_interval_us,
            config.session_timeout_us,
            SessionListener(listener.on_open, self._lose, listener.on_closed),
        )

    # --- session ---

    @property
    def session(self) -> int:
        """The session's number; ``NO_SESSION`` while there is none."""
        return self._session.number

    def open(self) -> None:
        """Request a session; ``on_open`` is called when it is granted."""
        self._session.open()

    def close(self) -> None:
        """Close the session and cancel all conversations; ``on_closed`` is called when the session is closed."""
        self._cancel_conversations()
        self._session.close()

    def abandon(self) -> None:
        """Stop all heartbeats and conversations. The registry keeps the session until it expires."""
        self._cancel_conversations()
        self._session.abandon()

    def check_lease(self) -> None:
        """Treat the session as lost if its lease has run out, as after a long pause."""
        self._session.check_lease()

    def receive(self, message: Any) -> bool:
        """Process a message from the registry; return ``False`` for a new watch notification: the owner handles it."""
        if isinstance(message, ops.Response):
            self._take_outcomes(message)
            return True
        if isinstance(message, ops.WatchNotice):
            received_before = message.watch <= self._session.last_watch
            self._session.last_watch = max(message.watch, self._session.last_watch)
            return received_before
        return self._session.receive(message)

    def _lose(self) -> None:
        self._cancel_conversations()
        self._on_lost()

    # --- conversations ---

    def start(self, conversation: Conversation) -> int:
        """Start a conversation; return its number for :meth:`cancel`."""
        self._last_conversation += 1
        number = self._last_conversation
        self._conversations[number] = conversation
        self._resume(number, ())
        return number

    def cancel(self, number: int) -> None:
        """Cancel a conversation; operations already sent still take effect at the registry."""
        self._conversations.pop(number, None)
        timer = self._timers_of.pop(number, None)
        if timer is not None:
            timer.cancel()

    def send(self, *operations: ops.Operation) -> None:
        """Send operations once, without waiting for their outcomes."""
        self._send(ops.Request(self.session, self._next_request(), operations))

    def claim(self, path: str, value: str, retry_us: int) -> None:
        """Create an ephemeral node, and retry every ``retry_us`` while an earlier session of ours still holds it."""
        self.start(self._claim(path, value, retry_us))

    def _claim(self, path: str, value: str, retry_us: int) -> Conversation:
        while isinstance((yield (ops.Create(path, value, ephemeral=True),))[0], NodeExists):
            yield Wait(retry_us)

    def _cancel_conversations(self) -> None:
        for number in list(self._conversations):
            self.cancel(number)
        self._requests.clear()

    def _resume(self, number: int, outcomes: Outcomes) -> None:
        conversation = self._conversations[number]
        try:
            wanted = conversation.send(outcomes) if outcomes else next(conversation)
        except StopIteration:
            self._conversations.pop(number, None)
            return
        if number not in self._conversations:
            return
        if isinstance(wanted, Wait) or wanted == ():
            delay_us = wanted.delay_us if isinstance(wanted, Wait) else 0
            self._timers_of[number] = self._timers.after(delay_us, lambda: self._resume(number, ()))
        else:
            self._send_request(number, self._next_request(), wanted)

    def _send_request(self, number: int, request: int, wanted: tuple[ops.Operation, ...] | Tracked) -> None:
        """Send a request of a conversation, and send it again each time it times out."""
        self._requests[request] = number
        if isinstance(wanted, Tracked):
            message = ops.Request(self.session, request, (wanted.operation,))
            self.last_arrival_us = self._process.send_flight(
                self._registry, message, self._latency, wanted.flight, wanted.departure
            )
        else:
            self._send(ops.Request(self.session, request, wanted))
        self._timers_of[number] = self._timers.after(
            self._request_timeout_us, lambda: self._send_request(number, request, wanted)
        )

    def _take_outcomes(self, response: ops.Response) -> None:
        if any(isinstance(outcome, SessionExpired) for outcome in response.outcomes):
            self._session.receive(ops.SessionGone(response.session, expired=True))
            return
        if response.session != self.session:  # an earlier incarnation, which used the same request numbers
            return
        number = self._requests.pop(response.request, NO_CONVERSATION)
        if number in self._conversations:
            self._timers_of.pop(number).cancel()
            self._resume(number, response.outcomes)

    def _next_request(self) -> int:
        self._last_request += 1
        return self._last_request

    def _send(self, message: object) -> None:
        self.last_arrival_us = self._process.send_message(self._registry, message, self._latency)
