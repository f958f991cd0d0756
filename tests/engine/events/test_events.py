"""Events as they are written in the journal."""

import json
from dataclasses import fields
from typing import Any

import pytest

from engine.events.catalog import EVENT_CLASSES
from engine.events.cluster import Checkpoint
from engine.events.registry import NodeCreated

AWKWARD = 'a "quoted" \\ back\nslash é 😀 </script> \u2028'


def sample(of_type: object) -> Any:
    """Return a value of a field's type that is hard to write."""
    samples: dict[object, Any] = {int: -(2**53), str: AWKWARD, bool: True, tuple[str, ...]: (AWKWARD, "", "b")}
    if of_type in samples:
        return samples[of_type]
    return {"deep": [1.5, None, AWKWARD]} if str(of_type).startswith("dict") else (1, 2)


@pytest.mark.parametrize("name", EVENT_CLASSES)
def test_every_event_is_written_as_the_json_of_its_fields_in_order(name: str) -> None:
    event_class = EVENT_CLASSES[name]
    event = event_class(*(sample(field.type) for field in fields(event_class)))
    expected = {"event": name} | {field.name: sample(field.type) for field in fields(event_class)}
    assert json.loads(event.encode()) == json.loads(json.dumps(expected))
    assert list(json.loads(event.encode())) == list(expected)
    assert event.encode() == json.dumps(event.as_json(), ensure_ascii=False, separators=(",", ":")).encode()


def test_names_on_the_wire_are_the_class_names_in_snake_case() -> None:
    assert (
        NodeCreated(1, "/a", "v", "").encode()
        == b'{"event":"node_created","at_us":1,"path":"/a","value":"v","client":""}'
    )


def test_a_checkpoint_can_be_recognized_by_its_first_bytes() -> None:
    assert Checkpoint(0, "start", {}).encode().startswith(b'{"event":"checkpoint",')
