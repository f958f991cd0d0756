"""Values that are made a hundred thousand times a second: events, messages on the wire, records in a queue."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

Made = TypeVar("Made")


@dataclass_transform(frozen_default=True)
def value(made: type[Made]) -> type[Made]:
    """A frozen dataclass with slots, of which the type checker alone keeps watch.

    ``frozen=True`` sets each field through ``object.__setattr__``, which makes a value of ten fields eight times as
    dear as this one. Equality, hash and patterns are those of a frozen dataclass.
    """
    return dataclass(slots=True, unsafe_hash=True)(made)
