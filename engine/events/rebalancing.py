"""Events of a rebalance (Algorithm 1), step by step."""

from engine.events.base import Event, event


@event
class RebalanceStarted(Event):
    """A consumer begins Algorithm 1; ``cause`` says why, ``attempt`` counts from 1."""

    group: str
    consumer: str
    cause: str
    attempt: int


@event
class OwnershipReleased(Event):
    """A consumer has dropped its entries from the ownership registry (none on its first time)."""

    group: str
    consumer: str
    partitions: tuple[str, ...]


@event
class RegistryRead(Event):
    """A consumer has read the group's members and the topic's partitions from the registry, both sorted."""

    group: str
    consumer: str
    members: tuple[str, ...]
    partitions: tuple[str, ...]


@event
class AssignmentComputed(Event):
    """A consumer has computed its partitions; none when there are more consumers than partitions."""

    group: str
    consumer: str
    partitions: tuple[str, ...]


@event
class ClaimRefused(Event):
    """Another consumer still owns the partition; this attempt's other claims are undone."""

    group: str
    consumer: str
    topic: str
    partition: int
    held_by: str


@event
class RebalanceBackedOff(Event):
    """An attempt failed; the next begins at ``until_us``."""

    group: str
    consumer: str
    attempt: int
    until_us: int


@event
class RebalanceFinished(Event):
    """A consumer owns its partitions and fetches."""

    group: str
    consumer: str
    partitions: tuple[str, ...]
    attempts: int


@event
class RebalanceFailed(Event):
    """A consumer's last attempt failed; it owns nothing until the registry changes again."""

    group: str
    consumer: str
    attempts: int
