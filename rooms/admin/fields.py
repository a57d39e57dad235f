"""Fields of forms: JSON, and texts one on a line."""

import json
from typing import Any

from django import forms
from django.forms.fields import InvalidJSONInput

from rooms.wire.errors import RoomError
from rooms.wire.json_gate import JSON, load_json


class JSONText(forms.JSONField):
    """JSON as people read and write it, which passes the gate that all JSON from outside passes.

    It is shown again as it was typed. None if nothing was typed, where that may be.
    """

    widget = forms.Textarea(attrs={"rows": 16, "cols": 80, "class": "vLargeTextField", "spellcheck": "false"})

    def to_python(self, value: Any) -> JSON:
        text = str(value or "").strip()
        if not text:
            if self.required:
                raise forms.ValidationError(self.error_messages["required"], code="required")
            return None
        try:
            return load_json(text)
        except RoomError as error:
            raise forms.ValidationError(error.message) from None

    def validate(self, value: JSON) -> None:
        """What is empty in other fields is a value here."""

    def bound_data(self, data: Any, initial: Any) -> Any:
        return InvalidJSONInput(data or "")

    def prepare_value(self, value: Any) -> str:
        if value is None or isinstance(value, InvalidJSONInput):
            return value or ""
        return json.dumps(value, indent=2, ensure_ascii=False)


class Lines(forms.CharField):
    """Texts without white space, one on a line."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 40})

    def to_python(self, value: Any) -> Any:
        return str(value or "").split()

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value
