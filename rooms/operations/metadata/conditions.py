"""Session metadata as HTTP knows it: entries that are there or are not, and conditions on that. For the server."""

from typing import Annotated

from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.locks import IfLock
from rooms.operations.metadata.entries import Key, as_wire
from rooms.operations.metadata.writing import Wanted, update_metadata
from rooms.wire.errors import NotFound, PreconditionFailed, VersionConflict
from rooms.wire.parameters import Bytes
from rooms.wire.results import Outcome
from rooms.wire.tags import is_among, tag_of


@operation()
def read_entry(context: Context, *, key: Key) -> Outcome:
    """The entry of a key that is set, and its ``tag``. Raises NotFound for any other, with the version it is at."""
    entry = context.work.entry(context.session, key)
    if entry.data is None:
        raise NotFound("key: is not set", data=as_wire(entry))
    return Outcome({**as_wire(entry), "tag": _tag(context, entry.change_version)})


@operation()
def list_entries(context: Context, *, prefix: Annotated[str, Bytes(0, "MAX_KEY_BYTES")] = "") -> Outcome:
    """The entries that are set and whose keys begin so, by key: ``{entries: [entry]}``."""
    heads = context.work.entry_heads(context.session)
    keys = sorted(key for key, head in heads.items() if head.size and key.startswith(prefix))
    return Outcome({"entries": [as_wire(entry) for entry in context.work.entries(context.session, keys)]})


@operation()
def change_entry(
    context: Context,
    *,
    change: Wanted,
    if_lock: IfLock | None = None,
    tags: list[str] | None = None,
    is_set: bool | None = None,
) -> Outcome:
    """Change one key as ``update-metadata`` does, if it is at a version of these tags and is set, or is not.

    Answers the entry and its ``tag``. Raises PreconditionFailed and VersionConflict, which carry it as it stands.
    """
    entry = context.work.entry(context.session, change["key"])
    if tags is not None and not is_among(_tag(context, entry.change_version), tags):
        raise PreconditionFailed(f"If-Match: the key is at version {entry.change_version}", data=as_wire(entry))
    if is_set is not None and is_set != (entry.data is not None):
        message = "If-Match: the key is not set" if is_set else "If-None-Match: the key is set"
        raise PreconditionFailed(message, data=as_wire(entry))
    try:
        outcome = update_metadata.function(context, changes=[change], if_lock=if_lock)
    except VersionConflict as error:
        raise VersionConflict(error.message, data=error.data["entries"][0]) from None
    changed = outcome.result["entries"][0]
    return Outcome({**changed, "tag": _tag(context, changed["change_version"])}, outcome.events)


def _tag(context: Context, version: int) -> str:
    return tag_of(version, context.session.id)
