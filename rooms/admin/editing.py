"""Forms that undo nothing: what one was made from travels with it, and is compared when it is stored."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.html import format_html

from rooms.admin.shared import Pages
from rooms.wire.errors import RoomError

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm

SEEN = "seen"


class Stale(Exception):
    """A row is otherwise than when a form was made from it."""


class SeenForm(ModelForm):
    """A form that knows what it was made from, and is refused once its row is otherwise in any of the form's fields.

    ``seen`` are digests of the fields as they were then: whole values would be too long to travel twice.
    """

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        if field_name != SEEN:
            return super().get_initial_for_field(field, field_name)
        return "" if self.instance._state.adding else json.dumps(self._digests())

    def check(self, row: Model) -> None:
        """Raises Stale unless the row is as it was when the form was made. For who holds the row's lock."""
        if self._moved(type(self)(instance=row)._digests()):
            raise Stale

    @cached_property
    def changed_data(self) -> list[str]:
        """The fields that somebody has changed. Django alone counts as such what a browser sends in another form."""
        return [name for name in super().changed_data if not self._is_kept(name)]

    @property
    def given(self) -> dict[str, Any]:
        """The new values of the fields that somebody has changed."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in self.cleaned_data}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance._state.adding:
            return cleaned
        if moved := self._moved(self._digests()):
            for name in moved:
                self._show_conflict(name)
            self._show_stored(SEEN)
            told = "This changed meanwhile, and nothing was stored. Saving again stores what is shown here."
            self.add_error(None, told)
        return cleaned

    def _digests(self) -> dict[str, str]:
        """By the fields' names, of the values that they have when nothing is typed."""
        fields = {name: field for name, field in self.fields.items() if name != SEEN and not field.disabled}
        return {name: _digest(self.get_initial_for_field(field, name)) for name, field in fields.items()}

    def _moved(self, now: dict[str, str]) -> list[str]:
        """The fields of which the form was made from another value."""
        return [name for name, digest in now.items() if self._seen.get(name) != digest]

    @cached_property
    def _seen(self) -> dict[str, Any]:
        try:
            seen = json.loads(self.data.get(self.add_prefix(SEEN)) or "{}")
        except (ValueError, RecursionError):
            return {}
        return seen if isinstance(seen, dict) else {}

    def _is_kept(self, name: str) -> bool:
        initial = self.get_initial_for_field(self.fields[name], name)
        return name in self.cleaned_data and _digest(self.cleaned_data[name]) == _digest(initial)

    def _show_conflict(self, name: str) -> None:
        """Show at a field what it says now: instead of what was there, or beside what somebody typed."""
        field = self.fields[name]
        if name in self.cleaned_data and _digest(self.cleaned_data[name]) == self._seen.get(name):
            self._show_stored(name)
            self.add_error(name, "This changed meanwhile; it now says what is shown here.")
            return
        text = _text(field, self.get_initial_for_field(field, name))
        told = "This changed meanwhile, to <bdi>{}</bdi> Saving again replaces it by what is typed here."
        self.add_error(name, ValidationError(format_html(told, format_html("<pre>{}</pre>", text))))

    def _show_stored(self, name: str) -> None:
        # Of this form's field alone, so not by a class: which field it is depends on what moved.
        self.fields[name].bound_data = lambda data, initial: initial  # type: ignore[method-assign]


def _digest(value: Any) -> str:
    """Of a value as it is stored or as a form's field has it: the same for both if they mean the same."""
    text = json.dumps(_plain(value), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, QuerySet) or (isinstance(value, list) and value and isinstance(value[0], Model)):
        return sorted(row.pk for row in value)
    # Browsers send lines with other ends, and fields without the white space around.
    return "\n".join(value.splitlines()).strip() if isinstance(value, str) else value


def _text(field: forms.Field, value: Any) -> str:
    """A field's value as people read it."""
    if isinstance(field, forms.ModelMultipleChoiceField):
        return ", ".join(sorted(str(row) for row in value)) or "-"
    if isinstance(field, forms.ModelChoiceField):
        return str(field.queryset.filter(pk=value).first()) if field.queryset is not None else str(value)
    shown = field.prepare_value(value)
    return (", ".join(map(str, shown)) if isinstance(shown, list) else str(shown)) or "-"


class Editing(Pages):
    """Pages on which rows are changed, by forms that are a SeenForm.

    ``save_model`` stores what is ``given``, and in the same transaction calls the form's ``check`` with the locked row.
    """

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        first, *others = super().get_fieldsets(request, obj)
        if obj is None or not self.has_change_permission(request, obj):
            return [first, *others]
        return [(first[0], {**first[1], "fields": [*first[1]["fields"], SEEN]}), *others]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        problem = ""
        for _ in range(2):
            try:
                return self.answer(request, *args, **kwargs)
            except RoomError as error:
                problem = error.message
                break
            except (Stale, ValidationError, ObjectDoesNotExist, IntegrityError) as error:
                # The row is another by now than that which the form was checked against: the form can tell what is
                # wrong when it is checked again, or else it cannot be told at a field.
                problem = " ".join(error.messages) if isinstance(error, ValidationError) else "This changed meanwhile."
        self.message_user(request, problem, messages.ERROR)
        return redirect(request.path)

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Without the transaction that Django would begin here: what is stored ends its own before others are told."""
        # Django's own, which the stubs leave out: changeform_view is this within a transaction.
        answer: HttpResponse = self._changeform_view(request, *args, **kwargs)  # type: ignore[attr-defined]
        return answer
