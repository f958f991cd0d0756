"""Sessions, ephemeral nodes and watches, between a client and the server over the wire."""

from dataclasses import replace
from random import Random
from typing import Any

from engine.config import TINY, Config
from engine.errors import NodeExists
from engine.events.base import Event
from engine.events.registry import SessionExpired
from engine.registry import operations as ops
from engine.registry.client import Conversation, RegistryClient, Wait
from engine.registry.server import RegistryServer
from engine.registry.session import NO_SESSION, SessionListener
from engine.runtime.network import NO_FAULT, LinkFault, Network, link_between
from engine.runtime.process import Machine, Process, ProcessTime, never_resumes
from engine.runtime.scheduler import Scheduler
from engine.runtime.sequence_numbers import SequenceNumbers

CONFIG = replace(
    TINY, registry_latency_us=100, latency_jitter_permille=0, session_timeout_us=6_000, heartbeat_interval_us=2_000
)
TIMEOUT_US = CONFIG.session_timeout_us


class Client(Process):
    """A process that only listens to the registry; its session is still to be opened."""

    def __init__(self, name: str, world: "World", listener: SessionListener) -> None:
        super().__init__(name, world.machine, ProcessTime(world.scheduler, never_resumes))
        self.notices: list[str] = []
        self.client = RegistryClient(self, listener)
        self.attach()

    def handle(self, source: str, message: Any) -> None:
        if not self.client.receive(message):
            self.notices.append(message.path)

    def handle_bounce(self, destination: str, message: Any) -> None:
        raise AssertionError("the registry is always there")


class Member(Client):
    """A client with a session, which sends requests when the test says so."""

    def __init__(self, name: str, world: "World") -> None:
        super().__init__(name, world, SessionListener(lambda: None, self.lose, self.end))
        self.lost = 0
        self.closed = 0
        self.world = world
        self.client.open()
        world.run(300)

    def lose(self) -> None:
        self.lost += 1

    def end(self) -> None:
        self.closed += 1

    def ask(self, *operations: ops.Operation) -> list[ops.Outcome]:
        outcomes: list[ops.Outcome] = []

        def talk() -> Conversation:
            outcomes.extend((yield operations))

        self.client.start(talk())
        self.world.run(300)
        return outcomes


class World:
    def __init__(self, config: Config = CONFIG) -> None:
        self.happened: list[Event] = []
        self.scheduler = Scheduler()
        self.network = Network(self.scheduler, Random(1), self.happened.append, lambda message, cause: None)
        self.machine = Machine(config, self.scheduler, self.network, self.happened.append, SequenceNumbers())
        self.server = RegistryServer(self.machine)

    def run(self, duration_us: int) -> None:
        self.scheduler.run_until(self.scheduler.now_us + duration_us)

    def names(self) -> list[str]:
        return [event.name for event in self.happened]


def test_a_session_lasts_as_long_as_its_heartbeats_arrive() -> None:
    world = World()
    member = Member("a", world)
    member.ask(ops.Create("/x", "v", ephemeral=True))
    world.run(20 * TIMEOUT_US)
    assert "/x" in world.server.tree
    assert "session_expired" not in world.names()


def test_a_silent_client_loses_its_ephemeral_nodes_one_timeout_after_it_was_last_heard() -> None:
    world = World()
    member = Member("a", world)
    member.ask(ops.Create("/x", "v", ephemeral=True), ops.Create("/y", "v", ephemeral=False))
    member.client.abandon()
    arrival_us = member.client.last_arrival_us
    world.run(2 * TIMEOUT_US)
    (expired,) = [event for event in world.happened if isinstance(event, SessionExpired)]
    assert expired.at_us == arrival_us + TIMEOUT_US
    assert "/x" not in world.server.tree
    assert "/y" in world.server.tree


def test_a_session_that_is_closed_ends_at_once() -> None:
    world = World()
    member = Member("a", world)
    member.ask(ops.Create("/x", "v", ephemeral=True))
    member.client.close()
    world.run(300)
    assert "/x" not in world.server.tree
    assert member.closed == 1


def test_closing_before_the_session_is_granted_leaves_nothing_behind() -> None:
    world = World()
    member = Member("a", world)
    other = Client("b", world, SessionListener(member.lose, member.lose, member.end)).client
    other.open()
    other.close()
    world.run(1_000)
    assert (member.closed, member.lost) == (1, 0)
    assert world.names().count("session_closed") == 1


def test_a_client_behind_a_link_slower_than_the_timeout_asks_for_a_session_once_each_timeout() -> None:
    world = World(replace(CONFIG, registry_latency_us=TIMEOUT_US))
    member = Member("a", world)
    world.run(20 * TIMEOUT_US)
    assert 17 <= world.names().count("session_opened") <= 20
    assert (member.client.session, member.lost) == (NO_SESSION, 0)


def test_a_watch_fires_for_the_first_new_child_and_not_for_the_next() -> None:
    world = World()
    watcher, other = Member("a", world), Member("b", world)
    assert watcher.ask(ops.WatchChildren("/p")) == [()]
    other.ask(ops.Create("/p/1", "", ephemeral=True))
    other.ask(ops.Create("/p/2", "", ephemeral=True))
    assert watcher.notices == ["/p"]
    assert watcher.ask(ops.WatchChildren("/p")) == [("1", "2")]


def test_a_watch_fires_when_the_end_of_a_session_deletes_its_nodes() -> None:
    world = World()
    watcher, other = Member("a", world), Member("b", world)
    other.ask(ops.Create("/p/1", "", ephemeral=True))
    watcher.ask(ops.WatchChildren("/p"))
    other.client.close()
    world.run(500)
    assert watcher.notices == ["/p"]


def test_a_value_change_fires_no_child_watch() -> None:
    world = World()
    watcher = Member("a", world)
    watcher.ask(ops.Create("/p/1", "old", ephemeral=False), ops.WatchChildren("/p"))
    watcher.ask(ops.Put("/p/1", "new", commit=0))
    assert watcher.notices == []


def test_only_the_holder_of_a_value_deletes_it() -> None:
    world = World()
    member = Member("a", world)
    member.ask(ops.Create("/x", "mine", ephemeral=True))
    (outcome,) = member.ask(ops.DeleteOwn("/x", "yours"))
    assert getattr(outcome, "code", "") == "no_node"
    assert "/x" in world.server.tree
    member.ask(ops.DeleteOwn("/x", "mine"))
    assert "/x" not in world.server.tree


def test_a_claim_waits_until_the_earlier_session_has_expired() -> None:
    world = World()
    old = Member("a", world)
    old.ask(ops.Create("/x", "old", ephemeral=True))
    old.client.abandon()
    new = Member("b", world)
    (refusal,) = new.ask(ops.Create("/x", "new", ephemeral=True))
    assert isinstance(refusal, NodeExists)
    new.client.claim("/x", "new", 500)
    world.run(2 * TIMEOUT_US)
    assert world.server.value("/x", "") == "new"


def test_a_request_that_is_resent_for_lack_of_an_answer_is_not_applied_again() -> None:
    world = World()
    slow, other = Member("a", world), Member("b", world)

    def put(value: str) -> Conversation:
        yield (ops.Put("/x", value, commit=0),)

    slow.client.start(put("old"))
    world.run(150)
    world.network.set_link_fault(link_between("a", "registry"), LinkFault(cut=True))
    world.run(100)
    world.network.set_link_fault(link_between("a", "registry"), NO_FAULT)
    assert world.server.value("/x", "") == "old"
    other.ask(ops.Put("/x", "new", commit=0))
    world.run(TIMEOUT_US)
    assert (world.server.value("/x", ""), slow.lost) == ("new", 0)


def test_a_read_that_is_resent_is_executed_again_so_that_its_answer_is_current() -> None:
    world = World()
    slow, other = Member("a", world), Member("b", world)
    listings: list[ops.Outcome] = []

    def look() -> Conversation:
        listings.extend((yield (ops.WatchChildren("/x"), ops.Get("/x/1"))))

    slow.client.start(look())
    world.run(150)
    world.network.set_link_fault(link_between("a", "registry"), LinkFault(cut=True))
    world.run(100)
    world.network.set_link_fault(link_between("a", "registry"), NO_FAULT)
    other.ask(ops.Create("/x/1", "new", ephemeral=True))
    world.run(TIMEOUT_US)
    assert listings == [("1",), "new"]


def test_a_lost_notice_is_sent_again_after_a_heartbeat_and_is_handled_once() -> None:
    world = World()
    member = Member("a", world)
    other = Member("b", world)
    member.ask(ops.WatchChildren("/x"))
    world.network.set_link_fault(link_between("a", "registry"), LinkFault(cut=True))
    other.ask(ops.Create("/x/1", "", ephemeral=True))
    world.network.set_link_fault(link_between("a", "registry"), NO_FAULT)
    assert member.notices == []
    world.run(TIMEOUT_US)
    assert (member.notices, member.lost) == (["/x"], 0)
    world.run(5 * TIMEOUT_US)
    assert member.notices == ["/x"]


def test_a_notice_that_arrives_twice_is_handled_once() -> None:
    """A heartbeat that left before the notice came makes the registry send the notice again."""
    world = World()
    member, other = Member("a", world), Member("b", world)
    sent: list[Any] = []
    world.network.listen(sent.append)
    member.ask(ops.WatchChildren("/x"))
    sent.clear()
    while ops.Heartbeat(member.client.session, world.scheduler.now_us, 0) not in sent:
        world.run(1)
    world.run(CONFIG.heartbeat_interval_us - 50)
    other.client.send(ops.Create("/x/1", "", ephemeral=True))
    world.run(300)
    assert [message.path for message in sent if isinstance(message, ops.WatchNotice)] == ["/x", "/x"]
    assert member.notices == ["/x"]


def test_a_repeated_notice_to_a_client_that_is_gone_does_not_end_the_first_flight_again() -> None:
    world = World()
    member, other = Member("a", world), Member("b", world)
    sent: list[Any] = []
    world.network.listen(sent.append)
    member.ask(ops.WatchChildren("/x"))
    sent.clear()
    while ops.Heartbeat(member.client.session, world.scheduler.now_us, 0) not in sent:
        world.run(1)
    world.run(CONFIG.heartbeat_interval_us - 50)
    other.client.send(ops.Create("/x/1", "", ephemeral=True))
    while not member.notices:
        world.run(1)
    member.client.abandon()
    member.detach()
    world.run(TIMEOUT_US)
    assert [message.path for message in sent if isinstance(message, ops.WatchNotice)] == ["/x", "/x"]
    assert "watch_delivered" not in world.names()


def test_an_answer_to_an_earlier_process_of_the_same_name_is_ignored() -> None:
    world = World()
    member = Member("a", world)
    outcomes: list[ops.Outcome] = []

    def talk() -> Conversation:
        outcomes.extend((yield (ops.Create("/x", "", ephemeral=True),)))

    member.client.start(talk())
    member.client.receive(ops.Response(member.client.session - 1, 1, ("not for us",)))
    assert outcomes == []
    world.run(300)
    assert outcomes == [""]


def test_a_second_grant_opens_no_second_session() -> None:
    world = World()
    opened: list[int] = []
    listener = SessionListener(lambda: opened.append(client.session), lambda: None, lambda: None)
    client = Client("a", world, listener).client
    client.open()
    client.receive(ops.SessionGranted(5, world.scheduler.now_us))
    client.receive(ops.SessionGranted(6, world.scheduler.now_us))
    assert (opened, client.session) == ([5], 5)


def test_the_end_of_a_session_is_handled_once() -> None:
    world = World()
    member = Member("a", world)
    number = member.client.session
    for _ in range(2):
        member.client.receive(ops.SessionGone(number, expired=True))
    assert member.lost == 1


def test_a_request_in_an_expired_session_is_not_applied_and_the_client_learns_of_the_end() -> None:
    world = World()
    member = Member("a", world)
    member.client.abandon()
    world.run(2 * TIMEOUT_US)
    outcomes = member.ask(ops.Create("/x", "", ephemeral=True))
    assert outcomes == []
    assert member.lost == 1
    assert "/x" not in world.server.tree


def test_a_conversation_that_waits_continues_when_the_time_has_passed() -> None:
    world = World()
    member = Member("a", world)
    woke_us: list[int] = []

    def talk() -> Conversation:
        yield Wait(5_000)
        woke_us.append(world.scheduler.now_us)

    began_us = world.scheduler.now_us
    member.client.start(talk())
    cancelled = member.client.start(talk())
    member.client.cancel(cancelled)
    world.run(10_000)
    assert woke_us == [began_us + 5_000]
