"""What an event is, and how a process reports one."""

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar, TypeVar, dataclass_transform

from engine.events.json_writer import writer_of
from engine.values import value

Declared = TypeVar("Declared", bound="Event")


@value
class Event:
    """Something that happened at a virtual time; the base of all events."""

    name: ClassVar[str] = "event"
    field_names: ClassVar[tuple[str, ...]] = ()
    encode: ClassVar[Callable[[Any], bytes]]
    """The wire form as one line of JSON in UTF-8 (see :mod:`engine.events.json_writer`)."""

    at_us: int

    def as_json(self) -> dict[str, Any]:
        """The wire form as JSON values, keys in the order of declaration."""
        record: dict[str, Any] = {"event": self.name}
        for field_name in self.field_names:
            record[field_name] = getattr(self, field_name)
        return record


@dataclass_transform(frozen_default=True)
def event(declared: type[Declared]) -> type[Declared]:
    """Make a class a frozen event with a wire name, a field order and a writer, computed once and not per encoding."""
    made = value(declared)
    made.name = re.sub(r"(?<!^)(?=[A-Z])", "_", made.__name__).lower()
    made.field_names = tuple(field.name for field in fields(made))
    made.encode = writer_of(made.name, fields(made))
    return made


Emit = Callable[[Event], None]
"""How a process reports an event; the composition root decides where the event is written."""
