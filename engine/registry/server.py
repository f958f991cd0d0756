"""The registry's process: serves requests, keeps sessions, fires watches, and reports to the journal."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from engine.errors import NodeExists, NoNode, SessionExpired
from engine.events.consuming import CommitLanded
from engine.events.registry import (
    NodeChanged,
    NodeCreated,
    NodeDeleted,
    SessionClosed,
    SessionOpened,
    WatchDelivered,
    WatchFired,
    WatchSet,
)
from engine.events.registry import SessionExpired as SessionExpiredEvent
from engine.registry import operations as ops
from engine.registry.tree import PERSISTENT, Node, Tree
from engine.runtime.process import Departure, Machine, Process, ProcessTime, never_resumes

ADDRESS = "registry"
MOST_ANSWERS = 1024
WHOLE_TREE = ""
REFUSALS = (NodeExists, NoNode, SessionExpired)
"""The errors that are sent to the client; any other error is raised."""


@dataclass(slots=True)
class Session:
    """A client's session: valid until the registry has not heard from the client for the session timeout.

    ``notices`` holds the last watch notification sent to it, if there was one. ``answered`` holds the latest responses
    by request number, for a client that sends a request again because no response came.
    """

    number: int
    client: str
    expires_at_us: int
    notices: deque[ops.WatchNotice] = field(default_factory=lambda: deque(maxlen=1))
    answered: dict[int, ops.Response] = field(default_factory=dict)

    def remember(self, response: ops.Response) -> None:
        """Keep a response, and no more of them than a client can be waiting for."""
        self.answered[response.request] = response
        if len(self.answered) > MOST_ANSWERS:
            del self.answered[next(iter(self.answered))]


class RegistryServer(Process):
    """The one registry of a datacenter. It never fails, but its links can.

    With several datacenters, each registry has its own ``address``, and the journal reports its nodes below its
    ``chroot`` (as in 0.7's ``zk.connect``, host:port/chroot). Clients do not see the chroot.
    """

    def __init__(self, machine: Machine, address: str = ADDRESS, chroot: str = WHOLE_TREE) -> None:
        super().__init__(address, machine, ProcessTime(machine.scheduler, never_resumes))
        self.chroot = chroot
        self.tree = Tree()
        self._latency = machine.registry_latency
        self._session_timeout_us = machine.config.session_timeout_us
        self._sessions: dict[int, Session] = {}
        self.attach()

    # --- reading, for the composition root ---

    def client_of(self, session: int) -> str:
        """The client that holds a session; "" for ``PERSISTENT``."""
        return self._sessions[session].client if session != PERSISTENT else ""

    def session_alive(self, session: int) -> bool:
        """Whether the registry still keeps a session."""
        return session in self._sessions

    def value(self, path: str, default: str) -> str:
        """A node's value, or ``default`` where there is no node."""
        return self.tree.get(path).value if path in self.tree else default

    # --- process ---

    def handle(self, source: str, message: Any) -> None:
        """Serve one message of a client."""
        match message:
            case ops.OpenSession(client=client, sent_us=sent_us):
                self._open(source, client, sent_us)
            case ops.Heartbeat(session=session, sent_us=sent_us, last_watch=last_watch):
                renewed = self._renew(session)
                answer = ops.HeartbeatResponse(session, sent_us) if renewed else ops.SessionGone(session, expired=True)
                self._reply(source, answer)
                if renewed:
                    self._repeat_notice(session, last_watch)
            case ops.CloseSession(session=session):
                if session in self._sessions:
                    self._end(session, "session_closed")
                self._reply(source, ops.SessionGone(session, expired=False))
            case ops.Request():
                self._serve(source, message)
            case _:
                raise AssertionError(f"the registry does not understand {message!r}")

    def handle_bounce(self, destination: str, message: Any) -> None:
        """End the flight of a watch notification whose client was gone; no other message has an end to report."""
        if isinstance(message, ops.WatchNotice) and not message.repeated:
            self.emit(WatchDelivered(self.now_us, message.watch))

    def expire(self, client: str) -> None:
        """Expire a client's sessions at once, as if their timeout had passed."""
        for number in [session.number for session in self._sessions.values() if session.client == client]:
            self._end(number, "session_expired")

    def expires_at_us(self, client: str) -> int:
        """When a client's sessions will all have expired if no message arrives; 0 if it has none."""
        return max((one.expires_at_us for one in self._sessions.values() if one.client == client), default=0)

    def has_session(self, client: str) -> bool:
        """Whether a client has a session."""
        return any(session.client == client for session in self._sessions.values())

    def put_by_operator(self, path: str, value: str) -> None:
        """Set a persistent node without a session, as an operator's shell does."""
        self._put(ops.Put(path, value, commit=0))

    # --- sessions ---

    def _open(self, source: str, client: str, sent_us: int) -> None:
        session = Session(self.machine.numbers.next("session"), client, 0)
        self._sessions[session.number] = session
        self._renew(session.number)
        self.emit(SessionOpened(self.now_us, session.number, client))
        self.time.at(session.expires_at_us, lambda: self._check_expiry(session.number))
        self._reply(source, ops.SessionGranted(session.number, sent_us))

    def _renew(self, number: int) -> bool:
        session = self._sessions.get(number)
        if session is None:
            return False
        session.expires_at_us = self.now_us + self._session_timeout_us
        return True

    def _check_expiry(self, number: int) -> None:
        session = self._sessions.get(number)
        if session is None:
            return
        if self.now_us < session.expires_at_us:
            self.time.at(session.expires_at_us, lambda: self._check_expiry(number))
        else:
            self._end(number, "session_expired")

    def _end(self, number: int, cause: str) -> None:
        session = self._sessions[number]
        gone = SessionExpiredEvent if cause == "session_expired" else SessionClosed
        self.emit(gone(self.now_us, number, session.client))
        if cause == "session_expired":  # as when ZooKeeper closes the connection: a reachable client learns it at once
            self._reply(session.client, ops.SessionGone(number, expired=True))
        self.tree.drop_watches(number)
        for path in self.tree.ephemerals(number):
            self._delete(path, cause)
        del self._sessions[number]

    # --- operations ---

    def _serve(self, source: str, request: ops.Request) -> None:
        alive = self._renew(request.session)
        if alive and request.request in self._sessions[request.session].answered:
            self._answer_again(source, request)
            return
        outcomes: list[ops.Outcome] = []
        for operation in request.operations:
            try:
                if not alive:
                    raise SessionExpired(
                        f"session {request.session} has expired", "open a new session", session=request.session
                    )
                outcomes.append(self._do(request.session, operation))
            except REFUSALS as error:
                outcomes.append(error)
                if isinstance(operation, ops.Put) and operation.commit:
                    self.emit(CommitLanded(self.now_us, operation.commit, error.code))
        response = ops.Response(request.session, request.request, tuple(outcomes))
        if alive:
            self._sessions[request.session].remember(response)
        self._reply(source, response)

    def _answer_again(self, source: str, request: ops.Request) -> None:
        """Serve a repeated request: repeat its reads, but not its writes, since another may own the node by now."""
        answered = self._sessions[request.session].answered[request.request]
        outcomes: list[ops.Outcome] = []
        for operation, outcome in zip(request.operations, answered.outcomes, strict=True):
            if isinstance(operation, ops.Get | ops.WatchChildren):
                outcomes.append(self._read(request.session, operation))
            else:
                outcomes.append(outcome)
            if isinstance(operation, ops.Put) and operation.commit:
                self.emit(CommitLanded(self.now_us, operation.commit, ""))
        self._reply(source, ops.Response(request.session, request.request, tuple(outcomes)))

    def _read(self, session: int, operation: ops.Get | ops.WatchChildren) -> ops.Outcome:
        try:
            return self._do(session, operation)
        except REFUSALS as error:
            return error

    def _do(self, session: int, operation: ops.Operation) -> ops.Outcome:
        match operation:
            case ops.Create(path=path, value=value, ephemeral=ephemeral):
                holder = session if ephemeral else PERSISTENT
                repeated = path in self.tree and self.tree.get(path) == Node(value, holder)
                if not repeated:
                    self._create(path, value, holder)
                return value
            case ops.Get(path=path):
                return self.tree.get(path).value
            case ops.Put():
                self._put(operation)
                return operation.value
            case ops.DeleteOwn(path=path, value=value):
                if self.tree.get(path).value != value:
                    raise NoNode(f"{path} holds another value", "leave it to its holder", path=path)
                self._delete(path, "deleted")
                return value
            case ops.WatchChildren(path=path):
                if self.tree.watch_children(path, session):
                    watched, client = self.chroot + path, self.client_of(session)
                    self.emit(WatchSet(self.now_us, watched, session, client))
                return self.tree.children(path)

    def _create(self, path: str, value: str, session: int) -> None:
        for created in self.tree.create(path, value, session):
            node = self.tree.get(created)
            client = self.client_of(node.session)
            self.emit(NodeCreated(self.now_us, self.chroot + created, node.value, client))
        self._fire_watches(path)

    def _put(self, operation: ops.Put) -> None:
        if operation.path in self.tree:
            self.tree.set(operation.path, operation.value)
            path = self.chroot + operation.path
            self.emit(NodeChanged(self.now_us, path, operation.value))
        else:
            self._create(operation.path, operation.value, PERSISTENT)
        if operation.commit:
            self.emit(CommitLanded(self.now_us, operation.commit, ""))

    def _delete(self, path: str, cause: str) -> None:
        self.tree.delete(path)
        self.emit(NodeDeleted(self.now_us, self.chroot + path, cause))
        self._fire_watches(path)

    def _fire_watches(self, path: str) -> None:
        parent = path.rpartition("/")[0]
        for session in self.tree.take_watchers(parent):
            client = self.client_of(session)
            watch = self.machine.numbers.next("watch")
            notice = ops.WatchNotice(watch, parent)
            self._sessions[session].notices.append(notice)
            self.send_flight(client, notice, self._latency, f"watch:{watch}", self._fired(watch, parent, client))

    def _fired(self, watch: int, parent: str, client: str) -> Departure:
        return lambda due_us: WatchFired(self.now_us, due_us, watch, self.chroot + parent, client)

    def _repeat_notice(self, session: int, last_watch: int) -> None:
        """Resend the last notification if the network may have lost it; one is enough for the client to read all."""
        for notice in self._sessions[session].notices:
            if notice.watch > last_watch:
                self._reply(self._sessions[session].client, ops.WatchNotice(notice.watch, notice.path, repeated=True))

    def _reply(self, destination: str, message: object) -> None:
        self.send_message(destination, message, self._latency)
