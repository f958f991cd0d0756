"""The commands on brokers."""

from dataclasses import dataclass

from engine.broker.broker import Broker
from engine.cluster.cluster import Cluster
from engine.commands.fields import Fields
from engine.errors import NameTaken, WrongState
from engine.ids import BrokerId

NEXT_FREE = 0
HIGHEST_BROKER = 10_000
MOST_BROKERS = 32


@dataclass(frozen=True, slots=True)
class AddBroker:
    """Start a new broker; it holds nothing until a topic is added."""

    broker: int

    @staticmethod
    def parse(fields: Fields) -> "AddBroker":
        """``broker``, or the next free number."""
        return AddBroker(fields.integer("broker", 1, HIGHEST_BROKER, NEXT_FREE))

    def apply(self, cluster: Cluster) -> None:
        """Add the broker; its number must be free."""
        brokers = cluster.state.brokers
        number = BrokerId(self.broker or max(brokers, default=0) + 1)
        if number in brokers:
            raise NameTaken(f"broker {number} exists", "choose another number", broker=number)
        if len(brokers) >= MOST_BROKERS:
            raise WrongState(f"there are {MOST_BROKERS} brokers already", "use those", brokers=len(brokers))
        cluster.add_broker(number)


@dataclass(frozen=True, slots=True)
class StopBroker:
    """Shut a broker down cleanly: it flushes and leaves the registry."""

    broker: int

    @staticmethod
    def parse(fields: Fields) -> "StopBroker":
        """``broker``."""
        return StopBroker(fields.integer("broker", 1, HIGHEST_BROKER))

    def apply(self, cluster: Cluster) -> None:
        """It must be alive."""
        cluster.stop_broker(_alive(cluster.state.broker(self.broker)))


@dataclass(frozen=True, slots=True)
class CrashBroker:
    """Crash a broker: it ends without warning."""

    broker: int

    @staticmethod
    def parse(fields: Fields) -> "CrashBroker":
        """``broker``."""
        return CrashBroker(fields.integer("broker", 1, HIGHEST_BROKER))

    def apply(self, cluster: Cluster) -> None:
        """It must be alive."""
        cluster.crash_broker(_alive(cluster.state.broker(self.broker)))


@dataclass(frozen=True, slots=True)
class StartBroker:
    """Restart a stopped or crashed broker."""

    broker: int

    @staticmethod
    def parse(fields: Fields) -> "StartBroker":
        """``broker``."""
        return StartBroker(fields.integer("broker", 1, HIGHEST_BROKER))

    def apply(self, cluster: Cluster) -> None:
        """It must not be running, and its disk must be readable, since a broker first reads its logs."""
        broker = cluster.state.broker(self.broker)
        if broker.alive:
            raise WrongState(f"broker {self.broker} is alive", "stop or crash it first", broker=self.broker)
        if broker.disk_fails == "read":
            raise WrongState(
                f"the disk of broker {self.broker} cannot be read",
                "clear the fault with set_disk first",
                broker=self.broker,
            )
        cluster.start_broker(broker)


def _alive(broker: Broker) -> Broker:
    if not broker.alive:
        raise WrongState(f"broker {broker.broker} is not running", "start it first", broker=broker.broker)
    return broker
