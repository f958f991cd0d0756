"""The commands that inject faults, and clear them again."""

from dataclasses import dataclass

from engine.cluster.cluster import Cluster
from engine.cluster.state import ClusterState
from engine.commands.consumers import ConsumerCommand
from engine.commands.fields import Fields
from engine.errors import InvalidCommand, UnknownName, WrongState
from engine.pipeline.mirror import address_of as mirror_address
from engine.runtime.network import NO_FAULT, LinkFault, link_between
from engine.storage.faulty_disk import DISK_FAULTS, DiskFault

LONGEST_MS = 600_000


def checked_address(cluster: Cluster, address: str) -> str:
    """Return an address (registry, producer, broker:1, consumer:<group>/<name>); :class:`UnknownName` if unknown."""
    state = cluster.state
    known = ["registry", "producer", *(broker.address for broker in state.brokers.values())]
    known += [consumer.address for consumer in state.all_consumers()]
    known += deployment_addresses(state)
    if address not in known:
        raise UnknownName(
            f"no party has the address {address[:80]!r}", "known: " + ", ".join(known), address=address[:80]
        )
    return address


def deployment_addresses(state: ClusterState) -> list[str]:
    """The addresses beyond the live datacenter: registry:<datacenter>, mirror:<group>/<name>, loader:<name>, ..."""
    deployment = state.deployment
    mirrors = [one.consumer for one in state.all_consumers() if one.consumer.group in deployment.routes]
    return [
        *(registry.address for registry in deployment.registries.values()),
        *(mirror_address(mirror) for mirror in mirrors),
        *(loader.address for loader in deployment.loaders.values()),
        *(auditor.address for auditor in deployment.auditors.values()),
    ]


@dataclass(frozen=True, slots=True)
class SetLink:
    """Set the faults of the link between two parties, in both directions; a fault that is not given is cleared."""

    one: str
    other: str
    fault: LinkFault

    @staticmethod
    def parse(fields: Fields) -> "SetLink":
        """``from`` and ``to`` as addresses; ``cut``, ``loss_percent``, ``delay_ms``."""
        cut = fields.flag("cut")
        loss_permille = round(10 * fields.number("loss_percent", 0, 100, 0))
        delay_us = 1000 * fields.integer("delay_ms", 0, LONGEST_MS, 0)
        return SetLink(fields.text("from"), fields.text("to"), LinkFault(cut, loss_permille, delay_us))

    def apply(self, cluster: Cluster) -> None:
        """Both must exist; they need not be running."""
        one, other = checked_address(cluster, self.one), checked_address(cluster, self.other)
        if one == other:
            raise InvalidCommand("a party has no link to itself", "name two different parties", field="to")
        cluster.state.network.set_link_fault(link_between(one, other), self.fault)


@dataclass(frozen=True, slots=True)
class ClearLinkFaults:
    """Clear the faults of every link."""

    @staticmethod
    def parse(fields: Fields) -> "ClearLinkFaults":
        """No fields."""
        return ClearLinkFaults()

    def apply(self, cluster: Cluster) -> None:
        """Leave links without faults as they are."""
        for link, _ in list(cluster.state.network.link_faults):
            cluster.state.network.set_link_fault(link, NO_FAULT)


@dataclass(frozen=True, slots=True)
class SetDisk:
    """Make a broker's disk slow, full or failing; a fault that is not given is cleared."""

    broker: int
    delay_ms: int
    full: bool
    fails: DiskFault

    @staticmethod
    def parse(fields: Fields) -> "SetDisk":
        """``broker``; ``delay_ms`` for each message set, ``full``, ``fails``: an operation, "" for none."""
        broker = fields.integer("broker", 1, 10_000)
        delay_ms, full = fields.integer("delay_ms", 0, LONGEST_MS, 0), fields.flag("full")
        return SetDisk(broker, delay_ms, full, _parse_disk_fault(fields))

    def apply(self, cluster: Cluster) -> None:
        """The broker need not be running. It halts when an append or a flush fails; a failed read fails its request."""
        cluster.state.broker(self.broker).set_disk_fault(self.delay_ms * 1000, full=self.full, fails=self.fails)


def _parse_disk_fault(fields: Fields) -> DiskFault:
    chosen = fields.choice("fails", DISK_FAULTS[1:]) if fields.has("fails") else ""
    return next(fault for fault in DISK_FAULTS if fault == chosen)


@dataclass(frozen=True, slots=True)
class FreezeConsumer:
    """Freeze a consumer: its process is suspended for a while, as in a long garbage collection."""

    target: ConsumerCommand
    duration_ms: int

    @staticmethod
    def parse(fields: Fields) -> "FreezeConsumer":
        """``consumer``, ``duration_ms``."""
        return FreezeConsumer(ConsumerCommand.parse(fields), fields.integer("duration_ms", 1, LONGEST_MS))

    def apply(self, cluster: Cluster) -> None:
        """It must be alive. If this takes longer than its session lasts, others take over its partitions."""
        self.target.find_alive(cluster).freeze(cluster.now_us + self.duration_ms * 1000)


@dataclass(frozen=True, slots=True)
class ExpireSession:
    """Expire one client's session in the registry, although the client is running."""

    client: str

    @staticmethod
    def parse(fields: Fields) -> "ExpireSession":
        """``client``: an address."""
        return ExpireSession(fields.text("client"))

    def apply(self, cluster: Cluster) -> None:
        """It must have a session."""
        client = checked_address(cluster, self.client)
        holding = [registry for registry in cluster.state.registries if registry.has_session(client)]
        if not holding:
            raise WrongState(f"{client} has no session", "wait until it has one", client=client)
        holding[0].expire(client)
