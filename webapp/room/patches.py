"""The difference of two states as a JSON merge patch (RFC 7396)."""

from typing import Any


def patch_between(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the patch from ``before`` to ``after``: a removed key is null, arrays and plain values are whole.

    Neither may contain a null; a state of the journal has none.
    """
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            changes = patch_between(old, value)
            if changes:
                patch[key] = changes
        elif value != old or type(value) is not type(old):
            patch[key] = value
    return patch
