"""Reading a command's fields: every fault names the field, what it may be, and nothing is guessed."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import InvalidCommand

MISSING: Any = object()


class Fields:
    """The fields of one command as they came, read one by one; :meth:`finish` refuses what was never asked for.

    Numbers may come as text, since a form has nothing else.
    """

    def __init__(self, command: str, values: Mapping[str, object]) -> None:
        self.command = command
        self._values = {name: value for name, value in values.items() if name != "command"}
        self._known: set[str] = set()

    def fault(self, name: str, problem: str, remedy: str) -> InvalidCommand:
        """The error for a bad field."""
        return InvalidCommand(f"{self.command}: {name} {problem}", remedy, command=self.command, field=name)

    def has(self, name: str) -> bool:
        """Whether a field was given; an empty text counts as not given (an empty input of a form)."""
        self._known.add(name)
        return name in self._values and self._values[name] not in ("", None)

    def text(self, name: str, default: str = MISSING, *, most: int = 1_000_000) -> str:
        """A text of at most ``most`` characters."""
        value = self._value(name, default, "a text")
        if not isinstance(value, str) or len(value) > most:
            raise self.fault(name, "is not a text of a sensible length", f"give a text of at most {most} characters")
        return value

    def integer(self, name: str, low: int, high: int, default: int = MISSING) -> int:
        """A whole number in [low, high]."""
        if not self.has(name) and default is not MISSING:
            return default
        remedy = f"give a whole number from {low} to {high}"
        value = self._value(name, MISSING, remedy)
        if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.fault(name, f"cannot be {_shown(value)}", remedy)
        return value

    def number(self, name: str, low: float, high: float, default: float = MISSING) -> float:
        """A number in [low, high], whole if it can be."""
        if not self.has(name) and default is not MISSING:
            return default
        remedy = f"give a number from {low:g} to {high:g}"
        value = self._value(name, MISSING, remedy)
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                raise self.fault(name, f"cannot be {_shown(value)}", remedy) from None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.fault(name, f"cannot be {_shown(value)}", remedy)
        return int(value) if value == int(value) else value

    def flag(self, name: str) -> bool:
        """Yes or no; not given is no."""
        if not self.has(name):
            return False
        value = self._values[name]
        if value in (True, "true", "on", "1"):
            return True
        if value in (False, "false", "off", "0"):
            return False
        raise self.fault(name, f"cannot be {_shown(value)}", "give true or false")

    def choice(self, name: str, choices: Sequence[str], default: str = MISSING) -> str:
        """One of some words."""
        remedy = "use one of: " + ", ".join(choices)
        value = self._value(name, default, remedy)
        if value not in choices:
            raise self.fault(name, f"cannot be {_shown(value)}", remedy)
        return str(value)

    def raw(self, name: str) -> object:
        """The value as it came."""
        return self._value(name, MISSING, "a value")

    def finish(self) -> None:
        """Refuse fields that the command does not have."""
        unknown = sorted(set(self._values) - self._known)
        if unknown:
            remedy = "its fields are: " + (", ".join(sorted(self._known)) or "none")
            raise self.fault(unknown[0][:60], "is not a field of this command", remedy)

    def _value(self, name: str, default: object, wanted: str) -> object:
        if self.has(name):
            return self._values[name]
        if default is MISSING:
            raise self.fault(name, "is missing", wanted if wanted.startswith(("give", "use")) else f"give {wanted}")
        return default


def _shown(value: object) -> str:
    """A value as it was typed: a form's whole number has become a float on the way."""
    text = repr(int(value) if isinstance(value, float) and value.is_integer() else value)
    return text if len(text) <= 60 else text[:57] + "..."
