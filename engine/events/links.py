"""The wire itself: links in trouble, and messages that vanish on them."""

from dataclasses import dataclass

from engine.events.base import Event


@dataclass(frozen=True, slots=True)
class LinkChanged(Event):
    """The link between two addresses works differently now; all zero and not cut: it is fine again."""

    one: str
    other: str
    cut: bool
    loss_permille: int
    delay_us: int


@dataclass(frozen=True, slots=True)
class MessageDropped(Event):
    """A message vanished on the wire; ``cause`` is ``cut`` or ``lost``, ``flight`` its name, "" if it was not drawn."""

    source: str
    destination: str
    flight: str
    cause: str
