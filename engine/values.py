"""Values that are made a hundred thousand times a second: events, messages on the wire, records in a queue."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

Made = TypeVar("Made")


@dataclass_transform(frozen_default=True)
def value(made: type[Made]) -> type[Made]:
    """Make a dataclass with slots that only the type checker treats as frozen.

    ``frozen=True`` sets each field through ``object.__setattr__``, which makes a value of ten fields eight times as
    expensive. Equality, hash and pattern matching are those of a frozen dataclass.
    """
    return dataclass(slots=True, unsafe_hash=True)(made)
