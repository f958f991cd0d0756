"""Merge patches between states."""

from typing import Any

import pytest

from webapp.room.patches import patch_between


def patched(state: Any, patch: Any) -> Any:
    """Apply a merge patch exactly as in RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(state) if isinstance(state, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = patched(result.get(key), value)
    return result


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1, "b": 2}, {"a": 3, "b": 2}, {"a": 3}),
        ({"a": 1, "b": {"c": 1}}, {"a": 1}, {"b": None}),
        ({"a": {"b": 1, "c": [1]}}, {"a": {"b": 1, "c": [1, 2]}}, {"a": {"c": [1, 2]}}),
        ({"a": {"b": 1}}, {"a": 5}, {"a": 5}),
        ({"a": 5}, {"a": {"b": {}}}, {"a": {"b": {}}}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}),
        ({}, {"a": {}}, {"a": {}}),
        ({"a": 1}, {"a": True}, {"a": True}),
        ({"a": 0}, {"a": False}, {"a": False}),
    ],
)
def test_a_patch_holds_only_changes_and_turns_the_first_state_into_the_second(
    before: dict[str, Any], after: dict[str, Any], patch: dict[str, Any]
) -> None:
    found = patch_between(before, after)
    assert found == patch
    assert str(found) == str(patch)  # 1 is not True
    assert patched(before, found) == after
