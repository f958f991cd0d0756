"""What an event is, and who is told."""

from collections.abc import Callable
from typing import Any, ClassVar

from engine.values import value


@value
class Event:
    """Something that happened at a virtual time; the base of all events."""

    name: ClassVar[str] = "event"
    field_names: ClassVar[tuple[str, ...]] = ()
    encode: ClassVar[Callable[[Any], bytes]]
    """The wire form as one line of JSON in UTF-8 (see :mod:`engine.events.writing`)."""

    at_us: int

    def as_json(self) -> dict[str, Any]:
        """The wire form as JSON values, keys in the order of declaration."""
        record: dict[str, Any] = {"event": self.name}
        for field_name in self.field_names:
            record[field_name] = getattr(self, field_name)
        return record


Emit = Callable[[Event], None]
"""How an actor tells that something happened; the composition root decides where it is written."""
