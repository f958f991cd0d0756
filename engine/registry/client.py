"""A process's tie to the registry: one session, and conversations that read like a recipe.

A conversation is a generator. It yields a tuple of operations and is resumed with their outcomes one round trip
later, or yields a :class:`Wait` and is resumed when that has passed. So the paper's Algorithm 1 can be written
down line by line although every line takes time. An answer that does not come is asked for again; the registry does
nothing twice, for another may own meanwhile what the operation is about.
"""

from collections.abc import Callable, Generator
from typing import Any

from engine.config import Config
from engine.errors import NodeExists, SessionExpired
from engine.events.base import Event
from engine.registry import operations as ops
from engine.registry.server import ADDRESS as REGISTRY
from engine.registry.session import Session, SessionListener
from engine.runtime.network import Latency, Network
from engine.runtime.scheduler import Timer, Timers
from engine.values import value

NO_CONVERSATION = 0


@value
class Wait:
    """Do nothing for ``delay_us``."""

    delay_us: int


@value
class Drawn:
    """An operation that the picture shows on its way as ``name``; ``tell`` journals that it left, given its arrival."""

    operation: ops.Operation
    name: str
    tell: Callable[[int], Event]


Wanted = tuple[ops.Operation, ...] | Wait | Drawn
Outcomes = tuple[ops.Outcome, ...]
Conversation = Generator[Wanted, Outcomes, None]


class RegistryClient:
    """The registry at ``registry`` as one process sees it; ``address`` is also the client's name there."""

    def __init__(
        self,
        address: str,
        timers: Timers,
        network: Network,
        config: Config,
        listener: SessionListener,
        registry: str = REGISTRY,
    ) -> None:
        self._address = address
        self._home = registry
        self._timers = timers
        self._network = network
        self._latency = Latency(config.registry_latency_us, config.latency_jitter_permille)
        self._request_timeout_us = config.session_timeout_us // 2
        self._on_lost = listener.on_lost
        self._conversations: dict[int, Conversation] = {}
        self._requests: dict[int, int] = {}
        self._timers_of: dict[int, Timer] = {}
        self._last_conversation = 0
        self._last_request = 0
        self.last_heard_us = timers.now_us
        self._session = Session(
            address,
            timers,
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
        """Ask for a session; ``on_open`` is called when it is there."""
        self._session.open()

    def close(self) -> None:
        """End the session in good order, dropping conversations; ``on_closed`` is called when that is done."""
        self._forget_conversations()
        self._session.close()

    def abandon(self) -> None:
        """Stop talking: no heartbeat, no conversation goes on. The registry keeps the session until it expires."""
        self._forget_conversations()
        self._session.abandon()

    def look_at_lease(self) -> None:
        """After a long pause: give the session up if the registry may have done so."""
        self._session.check_lease()

    def heard(self, message: Any) -> bool:
        """Take an answer of the registry; ``False`` if it is a watch's notice, which is the owner's to handle, once."""
        if isinstance(message, ops.Response):
            self._take_outcomes(message)
            return True
        if isinstance(message, ops.WatchNotice):
            heard_before = message.watch <= self._session.last_watch
            self._session.last_watch = max(message.watch, self._session.last_watch)
            return heard_before
        return self._session.heard(message)

    def _lose(self) -> None:
        self._forget_conversations()
        self._on_lost()

    # --- conversations ---

    def start(self, conversation: Conversation) -> int:
        """Begin a conversation; the number returned can cancel it."""
        self._last_conversation += 1
        number = self._last_conversation
        self._conversations[number] = conversation
        self._resume(number, ())
        return number

    def cancel(self, number: int) -> None:
        """End a conversation where it stands; operations already sent still happen at the registry."""
        self._conversations.pop(number, None)
        timer = self._timers_of.pop(number, None)
        if timer is not None:
            timer.cancel()

    def tell(self, *operations: ops.Operation) -> None:
        """Send operations once, whose outcomes nobody waits for."""
        self._send(ops.Request(self.session, self._next_request(), operations))

    def claim(self, path: str, value: str, retry_us: int) -> None:
        """Create an ephemeral node, trying again while an earlier session of ours still holds it."""
        self.start(self._claim(path, value, retry_us))

    def _claim(self, path: str, value: str, retry_us: int) -> Conversation:
        while isinstance((yield (ops.Create(path, value, ephemeral=True),))[0], NodeExists):
            yield Wait(retry_us)

    def _forget_conversations(self) -> None:
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
            self._ask(number, self._next_request(), wanted)

    def _ask(self, number: int, request: int, wanted: tuple[ops.Operation, ...] | Drawn) -> None:
        """Send a request of a conversation, and again each time that its answer stays away."""
        self._requests[request] = number
        if isinstance(wanted, Drawn):
            due_us = self._departure()
            message = ops.Request(self.session, request, (wanted.operation,))
            flight = wanted.tell(due_us)
            self._network.send_drawn(self._address, self._home, message, wanted.name, flight, due_us)
        else:
            self._send(ops.Request(self.session, request, wanted))
        self._timers_of[number] = self._timers.after(
            self._request_timeout_us, lambda: self._ask(number, request, wanted)
        )

    def _take_outcomes(self, response: ops.Response) -> None:
        if any(isinstance(outcome, SessionExpired) for outcome in response.outcomes):
            self._session.heard(ops.SessionGone(response.session, expired=True))
            return
        if response.session != self.session:  # an earlier process of this name, which numbered its requests alike
            return
        number = self._requests.pop(response.request, NO_CONVERSATION)
        if number in self._conversations:
            self._timers_of.pop(number).cancel()
            self._resume(number, response.outcomes)

    def _next_request(self) -> int:
        self._last_request += 1
        return self._last_request

    # --- wire ---

    def _departure(self) -> int:
        self.last_heard_us = self._network.due_us(self._address, self._home, self._latency)
        return self.last_heard_us

    def _send(self, message: object) -> None:
        self._network.send(self._address, self._home, message, self._departure())
