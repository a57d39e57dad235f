"""Changing a part of a value: RFC 7396 (a merge patch, which is an object) and RFC 6902 (a JSON Patch, a list)."""

from typing import Any

import jsonpatch
import jsonpointer
from django.conf import settings

from rooms.wire.errors import TooLarge, Unprocessable
from rooms.wire.events import compact
from rooms.wire.json_gate import JSON

_FAILURES = (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError, ValueError)
"""What the library raises for a step that is malformed, or that the value has no place for."""

MAX_STEPS = 100
"""Of a JSON Patch."""


def patched(value: JSON, patch: JSON, *, field: str) -> JSON:
    """The value after a patch of either kind. Raises Unprocessable, which names the step that does not apply."""
    if isinstance(patch, dict):
        return _merged(value, patch)
    if not isinstance(patch, list):
        raise Unprocessable(f"{field}: expected an object or a list")
    if len(patch) > MAX_STEPS:
        raise Unprocessable(f"{field}: {len(patch)} steps, at most {MAX_STEPS}")
    for index, step in enumerate(patch):
        try:
            value = jsonpatch.apply_patch(value, [step])
        except _FAILURES as error:
            reason = "the test fails" if isinstance(error, jsonpatch.JsonPatchTestFailed) else "does not apply"
            raise Unprocessable(f"{field}[{index}]: {reason}", data={"index": index}) from None
        # At each step, for one that copies can make it twice as large.
        if len(compact(value)) > settings.MAX_VALUE_BYTES:
            raise TooLarge(f"{field}[{index}]: makes the value larger than {settings.MAX_VALUE_BYTES} bytes")
    return value


def _merged(value: JSON, patch: dict[str, Any]) -> JSON:
    """RFC 7396, section 2."""
    merged = dict(value) if isinstance(value, dict) else {}
    for name, change in patch.items():
        if change is None:
            merged.pop(name, None)
        elif isinstance(change, dict):
            merged[name] = _merged(merged.get(name), change)
        else:
            merged[name] = change
    return merged
