"""Algorithm 1, step by step."""

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
    """A consumer has read who is there: the group's members and the topic's partitions, both sorted."""

    group: str
    consumer: str
    members: tuple[str, ...]
    partitions: tuple[str, ...]


@event
class AssignmentComputed(Event):
    """A consumer knows its share; empty when there are more consumers than partitions."""

    group: str
    consumer: str
    partitions: tuple[str, ...]


@event
class ClaimRefused(Event):
    """Somebody else still owns the partition; this attempt's other claims are undone."""

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
    """A consumer owns its share and pulls."""

    group: str
    consumer: str
    partitions: tuple[str, ...]
    attempts: int


@event
class RebalanceFailed(Event):
    """A consumer gave up after its last try and owns nothing until the registry changes again."""

    group: str
    consumer: str
    attempts: int
