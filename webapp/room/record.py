"""The record of a room: its origin and its presenter key's hash, readable before its engine runs."""

import json
import re
import secrets
from dataclasses import asdict, dataclass
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Literal, Self, get_args

from webapp.errors import RoomDamaged
from webapp.room.files import write_atomically

RECORD_FILE = "room.json"
ROOM_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # no characters that are misread on a blackboard
ROOM_CHARACTERS = 12
ROOM_PATTERN = re.compile(rf"[{ROOM_ALPHABET}]{{{ROOM_CHARACTERS}}}")

FIELD_TYPES = {
    "room": str,
    "scenario": str,
    "seed": int,
    "start": str,
    "key_hash": str,
    "created_at_s": int,
    "forked_from": str,
    "forked_at_us": int,
}

Start = Literal["standing", "running", "paused"]


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """The unchanging facts of a room; of the presenter key only ``key_hash`` is stored.

    ``forked_from`` is the id of a fork's origin ("" for a room that is no fork), and ``forked_at_us`` the virtual time
    of the fork.
    """

    room: str
    scenario: str
    seed: int
    start: Start
    key_hash: str
    created_at_s: int
    forked_from: str = ""
    forked_at_us: int = 0

    def is_key(self, presenter_key: str) -> bool:
        """Return whether this is the room's presenter key (compared in constant time)."""
        return compare_digest(hash_key(presenter_key), self.key_hash)

    def write(self, directory: Path) -> None:
        """Write the record to the room's folder, durably."""
        write_atomically(directory / RECORD_FILE, json.dumps(asdict(self), indent=1).encode())

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the record in ``directory``; raises ``RoomDamaged`` if it is invalid, ``OSError`` if unreadable."""
        try:
            fields = json.loads((directory / RECORD_FILE).read_bytes())
            record = cls(**fields)
            whole = (
                all(type(value) is FIELD_TYPES[name] for name, value in fields.items())
                and record.start in get_args(Start)
                and record.room == directory.name
            )
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, TypeError) as error:
            raise _unreadable(directory, error) from error
        if not whole:
            raise _unreadable(directory, "a field has a value that cannot be")
        return record


def new_room_id() -> str:
    """Return a new id that cannot be guessed (60 bits) and can be read out loud."""
    return "".join(secrets.choice(ROOM_ALPHABET) for _ in range(ROOM_CHARACTERS))


def is_room_id(text: str) -> bool:
    """Return whether a text has the form of a room's id."""
    return ROOM_PATTERN.fullmatch(text) is not None


def random_key(room: str) -> str:
    """Return a new presenter key for a room, shown once to its maker."""
    return secrets.token_urlsafe(24)


def hash_key(presenter_key: str) -> str:
    """Return the hash of a key; the key has 192 random bits, so a plain hash reveals nothing about it."""
    return sha256(presenter_key.encode()).hexdigest()


def _unreadable(directory: Path, reason: object) -> RoomDamaged:
    return RoomDamaged(
        f"{RECORD_FILE} of room {directory.name} cannot be read: {reason}",
        "make a new room; the files of this one are kept as they are",
        room=directory.name,
    )
