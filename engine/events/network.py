"""The wire itself: links in trouble, and messages that vanish on them."""

from engine.events.base import Event, event


@event
class LinkChanged(Event):
    """The link between two addresses works differently now; all zero and not cut: it is fine again."""

    one: str
    other: str
    cut: bool
    loss_permille: int
    delay_us: int


@event
class MessageDropped(Event):
    """A message vanished; ``flight`` is its name, "" if it was not drawn.

    ``cause`` is ``cut`` or ``lost`` on the wire, ``gone``: an acknowledgement found that its client has ended, or
    ``broker_down``: a set that should be acknowledged waited for the disk of a broker that ended.
    """

    source: str
    destination: str
    flight: str
    cause: str
