"""The fields of a command: every error names the field and what it may be; nothing is guessed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import InvalidCommand

MISSING: Any = object()
NAME_CHARACTERS = 200
"""No name is longer: the longest one is the address of a consumer, which holds its group's name and its own."""
NUMBER_CHARACTERS = 40
SHOWN_CHARACTERS = 60
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")


class Fields:
    """The fields of one command as received, read one by one; :meth:`finish` refuses fields that were never read.

    Numbers may come as text, since a form has nothing else. Every text is read by :meth:`checked_text`: a command that
    holds one that UTF-8 cannot carry could be logged as JSON, but never sent as a message.
    """

    def __init__(self, command: str, values: Mapping[str, object]) -> None:
        self.command = command
        self._values = {name: value for name, value in values.items() if name != "command"}
        self._known: set[str] = set()

    def fault(self, name: str, problem: str, remedy: str) -> InvalidCommand:
        """Make the error for a bad field."""
        return InvalidCommand(f"{self.command}: {name} {problem}", remedy, command=self.command, field=name)

    def has(self, name: str) -> bool:
        """Whether a field was given; an empty text counts as not given (an empty input of a form)."""
        self._known.add(name)
        return name in self._values and self._values[name] not in ("", None)

    def text(self, name: str, default: str = MISSING, *, most: int = NAME_CHARACTERS) -> str:
        """Read a text of at most ``most`` characters, checked by :meth:`checked_text`."""
        return self.checked_text(name, self._value(name, default, "a text"), most=most)

    def checked_text(self, name: str, value: object, *, most: int) -> str:
        """Return ``value`` of the field ``name`` if it is a text of at most ``most`` characters.

        A lone surrogate (JSON can spell one as an escape) is refused, too, since UTF-8 has no bytes for it.
        """
        if not isinstance(value, str) or len(value) > most:
            raise self.fault(
                name,
                f"holds something other than a text of at most {most} characters",
                "give a text that is not longer",
            )
        try:
            value.encode()
        except UnicodeEncodeError as error:
            problem = f"has a lone surrogate at character {error.start}, which UTF-8 cannot carry"
            remedy = "leave out the characters from U+D800 to U+DFFF, or send both halves of the pair"
            raise self.fault(name, problem, remedy) from error
        return value

    def integer(self, name: str, low: int, high: int, default: int = MISSING) -> int:
        """Read a whole number in [low, high]."""
        if not self.has(name) and default is not MISSING:
            return default
        remedy = f"give a whole number from {low} to {high}"
        value = self._value(name, MISSING, remedy)
        if isinstance(value, str) and len(value) <= NUMBER_CHARACTERS:
            try:
                value = whole_number(value.strip())
            except ValueError:
                raise self.fault(name, f"cannot be {shown(value)}", remedy) from None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.fault(name, f"cannot be {shown(value)}", remedy)
        return value

    def number(self, name: str, low: float, high: float, default: float = MISSING) -> float:
        """Read a number in [low, high], as an ``int`` if it is whole."""
        if not self.has(name) and default is not MISSING:
            return default
        remedy = f"give a number from {low:g} to {high:g}"
        value = self._value(name, MISSING, remedy)
        if isinstance(value, str) and len(value) <= NUMBER_CHARACTERS:
            try:
                value = float(value)
            except ValueError:
                raise self.fault(name, f"cannot be {shown(value)}", remedy) from None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.fault(name, f"cannot be {shown(value)}", remedy)
        return int(value) if value == int(value) else value

    def flag(self, name: str) -> bool:
        """Read yes or no; not given is no."""
        if not self.has(name):
            return False
        value = self._values[name]
        if value in (True, "true", "on", "1"):
            return True
        if value in (False, "false", "off", "0"):
            return False
        raise self.fault(name, f"cannot be {shown(value)}", "give true or false")

    def choice(self, name: str, choices: Sequence[str], default: str = MISSING) -> str:
        """Read one of ``choices``."""
        remedy = "use one of: " + ", ".join(choices)
        value = self._value(name, default, remedy)
        if value not in choices:
            raise self.fault(name, f"cannot be {shown(value)}", remedy)
        return str(value)

    def raw(self, name: str) -> object:
        """Return the value as received."""
        return self._value(name, MISSING, "a value")

    def finish(self) -> None:
        """Refuse fields that the command does not have."""
        unknown = sorted(set(self._values) - self._known)
        if unknown:
            remedy = "its fields are: " + (", ".join(sorted(self._known)) or "none")
            raise self.fault(shown_name(unknown[0]), "is not a field of this command", remedy)

    def _value(self, name: str, default: object, wanted: str) -> object:
        if self.has(name):
            return self._values[name]
        if default is MISSING:
            raise self.fault(name, "is missing", wanted if wanted.startswith(("give", "use")) else f"give {wanted}")
        return default


def whole_number(text: str) -> int:
    """Parse 1 to 20 ASCII digits after an optional minus sign; raise ValueError for any other text.

    ``int`` accepts more (digits of every script, underscores, blanks), and raises for texts of thousands of digits.
    """
    if not WHOLE_NUMBER.fullmatch(text):
        raise ValueError("not a whole number of at most 20 digits")
    return int(text)


def shown_name(name: str) -> str:
    """Return the name of an unknown field in at most 60 characters, all of which UTF-8 can carry."""
    return name[:SHOWN_CHARACTERS].encode(errors="replace").decode()


def shown(value: object) -> str:
    """Show a value as it was typed, in at most 60 characters; a deep or very large one only by its kind."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a form's whole number has become a float on the way
    if isinstance(value, int) and abs(value) >= 10**SHOWN_CHARACTERS:
        return f"a number of more than {SHOWN_CHARACTERS} digits"
    text = repr(value[:SHOWN_CHARACTERS] if isinstance(value, str) else value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."
