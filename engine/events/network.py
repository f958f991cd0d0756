"""Events of the network: faults of links, and dropped messages."""

from engine.events.base import Event, event


@event
class LinkChanged(Event):
    """The faults of the link between two addresses changed; all zero and not cut means a healthy link."""

    one: str
    other: str
    cut: bool
    loss_permille: int
    delay_us: int


@event
class MessageDropped(Event):
    """A message was dropped; ``flight`` is its name, "" if it was not drawn.

    ``cause`` is ``cut`` or ``lost`` on the wire, ``gone`` if an acknowledgement arrived after its client had ended, or
    ``broker_down`` if a set that should be acknowledged was waiting for the disk of a broker that ended.
    """

    source: str
    destination: str
    flight: str
    cause: str
