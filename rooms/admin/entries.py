"""The form by which an operator sets a key of a session's metadata."""

from typing import Any

from django import forms
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest
from django.utils import timezone

from rooms.admin.acting import perform
from rooms.admin.fields import JSONText
from rooms.admin.shared import in_lines
from rooms.models import MetadataEntry, Session
from rooms.operations.metadata.writing import set_metadata
from rooms.wire.json_gate import JSON


class EntryForm(forms.Form):
    """A key, its value as JSON, and the version that the operator saw of it: 0 of one that was never set."""

    key = forms.CharField(max_length=128, strip=False)
    value = JSONText(help_text="JSON: a text stands in double quotes.")
    if_change_version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    is_stale = False
    standing: MetadataEntry | None = None

    @staticmethod
    def showing(key: str, entry: MetadataEntry | None) -> dict[str, Any]:
        """What the form holds at first of a key, which may have no entry."""
        if entry is None:
            return {"key": key, "if_change_version": 0}
        value = InvalidJSONInput("" if entry.data is None else in_lines(entry.data))
        return {"key": key, "value": value, "if_change_version": entry.change_version}

    def refuse(self, message: str) -> None:
        """Show why the value was not taken, at the field that the message begins with."""
        self.add_error("key" if message.startswith("key:") else "value", message)

    def show_conflict(self, entry: MetadataEntry | None) -> None:
        """Show what the key holds now, with what was typed; whoever sends that again means to replace what is shown."""
        self.is_stale, self.standing = True, entry if entry and entry.data is not None else None
        typed = {name: self.data[name] for name in self.data}
        self.data = {**typed, "if_change_version": entry.change_version if entry else 0}

    @property
    def standing_value(self) -> str:
        return in_lines(self.standing.data) if self.standing and self.standing.data is not None else ""


def set_entry(request: HttpRequest, session: Session, *, key: str, value: JSON, if_change_version: int) -> None:
    """Set a key for an operator, on the terms on which it is kept. Raises RoomError."""
    kept: dict[str, Any] = {}
    # Of the version that is asked for, or the write is refused.
    if entry := session.entries.filter(key=key).first():
        if entry.owner:
            kept |= {"owner": entry.owner, "on_leave": entry.on_leave}
        if entry.expires_at:
            kept["expires_in"] = max(1.0, (entry.expires_at - timezone.now()).total_seconds())
    perform(request, session, set_metadata, key=key, data=value, if_change_version=if_change_version, **kept)
