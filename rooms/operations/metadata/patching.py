"""Changing a part of a value: RFC 7396 (a merge patch, which is an object) and RFC 6902 (a JSON Patch, a list)."""

import copy
import json
from types import MappingProxyType
from typing import Any

import jsonpatch
import jsonpointer
from django.conf import settings

from rooms.wire.errors import BadRequest, TooLarge, Unprocessable
from rooms.wire.events import compact, size_of
from rooms.wire.json_gate import JSON, MAX_DEPTH

_FAILURES = (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError, ValueError)
"""What the library raises for a step that is malformed, or that the value has no place for."""

MAX_STEPS = 100
"""Of a JSON Patch."""

MAX_PATCH_WORK = 512 * 1024
"""Bytes that the steps of the JSON Patches of one call may handle: each as many as the value has after it."""


class Effort:
    """What the patches of one call have cost so far: nobody else can write meanwhile."""

    def __init__(self) -> None:
        self.spent = 0

    def spend(self, size: int, *, field: str, **more: int) -> None:
        """Raises TooLarge over MAX_PATCH_WORK, which says what else is given."""
        self.spent += size
        if self.spent > MAX_PATCH_WORK:
            message = f"{field}: the steps of the call would handle {self.spent} bytes, at most {MAX_PATCH_WORK}"
            raise TooLarge(message, limit="max_patch_work", used=self.spent, most=MAX_PATCH_WORK, **more)


def patched(value: JSON, patch: JSON, *, change: int, effort: Effort) -> JSON:
    """The value after a patch of either kind; a list changes the given one in place. ``change`` is its number.

    Raises Unprocessable, which names the step that does not apply, BadRequest, and TooLarge.
    """
    if isinstance(patch, dict):
        return _merged(value, patch)
    field = f"changes[{change}].patch"
    if not isinstance(patch, list):
        raise Unprocessable(f"{field}: expected an object or a list", data={"change": change})
    if len(patch) > MAX_STEPS:
        message = f"{field}: {len(patch)} steps, at most {MAX_STEPS}"
        raise TooLarge(message, limit="max_patch_steps", used=len(patch), most=MAX_STEPS, change=change)
    # A copy, for what a step adds the later ones may change.
    for index, step in enumerate(copy.deepcopy(patch)):
        try:
            # In place: to copy the value for each step would take a hundred times as long as the steps.
            value = _Patch([step]).apply(value, in_place=True)
            size = size_of(compact(value))
        except _FAILURES as error:
            raise Unprocessable(
                f"{field}[{index}]: {_reason(error)}", data={"change": change, "index": index}
            ) from None
        except RecursionError:
            raise BadRequest(f"{field}[{index}]: more than {MAX_DEPTH} levels") from None
        # At each step, for one that copies can make it twice as large.
        if size > (most := settings.MAX_VALUE_BYTES):
            message = f"{field}[{index}]: makes the value larger than {most} bytes"
            raise TooLarge(message, limit="max_value_bytes", used=size, most=most, change=change, index=index)
        effort.spend(size, field=f"{field}[{index}]", change=change, index=index)
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, jsonpatch.JsonPatchTestFailed):
        return "the test fails"
    return "is no step" if isinstance(error, jsonpatch.InvalidJsonPatch) else "does not apply"


class _Copy(jsonpatch.CopyOperation):
    """The library's, but that it copies by way of the text, which takes a twentieth of the time."""

    def apply(self, obj: JSON) -> JSON:
        copied = json.loads(compact(self.pointer_cls(self.operation["from"]).resolve(obj)))
        holder, part = self.pointer.to_last(obj)
        if part is None:
            return copied
        # The library makes the place and says whether there is one.
        jsonpatch.AddOperation({"op": "add", "path": self.location, "value": None}).apply(obj)
        holder[-1 if part == "-" and isinstance(holder, list) else part] = copied
        return obj


class _Patch(jsonpatch.JsonPatch):
    operations = MappingProxyType({**jsonpatch.JsonPatch.operations, "copy": _Copy})


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
