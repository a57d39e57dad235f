"""Requests that none of the admin's pages makes: they are refused, and fail nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model

from rooms.creation.rooms import create_room
from tests.admin.driver import live_room

# Of a list whose ids are numbers, and of any.
NO_NUMBERS, NO_IDS = ["", "abc", "1.5", "²", "9" * 19], ["9" * 5000]


@pytest.mark.parametrize("pages", admin.site._registry.values(), ids=lambda pages: pages.opts.model_name)
def test_no_list_acts_on_what_is_no_id(operator, pages):
    names = [*pages.actions, *(["delete_selected"] if pages.opts.app_label == "auth" else [])]
    no_ids = NO_IDS if pages.opts.pk.get_internal_type() == "CharField" else NO_IDS + NO_NUMBERS
    for name, given in ((name, given) for name in names for given in no_ids):
        form = {"action": name, "_selected_action": ["1", given], "confirmed": "yes", "post": "yes"}
        answer = operator.post(f"/admin/{pages.opts.app_label}/{pages.opts.model_name}/", form)
        assert answer.status_code == 400, (name, given[:20])


def test_no_page_looks_for_its_row_by_a_field_without_a_name(operator):
    room, user = create_room(title="Tea"), User.objects.get()
    for page in (f"rooms/room/{room.pk}/change/", f"auth/user/{user.pk}/change/", f"auth/user/{user.pk}/delete/"):
        assert operator.get(f"/admin/{page}?_to_field=").status_code == 200
        assert operator.post(f"/admin/{page}", {"_to_field": ""}).status_code in (200, 302)


def test_nothing_is_completed(operator):
    for model, field in (("webhookreplay", "deliveries"), ("room", "template")):
        query = {"app_label": "rooms", "model_name": model, "field_name": field, "term": "a"}
        assert operator.get("/admin/autocomplete/", query).status_code == 404


@pytest.mark.parametrize("query", ["groups={}", "groups__exact={}", "groups__in={}", "groups__id__exact={}"])
def test_no_list_of_accounts_fails_on_numbers_that_are_too_large(operator, query):
    assert operator.get(f"/admin/auth/user/?{query.format('9' * 19)}").status_code in (200, 302, 400)


@pytest.mark.parametrize("query", ["email__range=", "first_name__range=1", "last_login__range=1,2,3", "email__regex=("])
def test_accounts_are_filtered_as_their_page_does_alone(operator, query):
    assert operator.get(f"/admin/auth/user/?{query}").status_code == 400
    assert operator.get("/admin/auth/user/?is_staff__exact=1").status_code == 200


@pytest.mark.parametrize("seen", ["[" * 5000, "{", "5", '"'])
def test_a_form_that_says_nothing_readable_of_what_was_seen_changes_nothing(operator, seen):
    room = create_room(title="Tea")
    answer = operator.post(f"/admin/rooms/room/{room.pk}/change/", {"title": "Milk", "seen": seen})
    room.refresh_from_db()
    assert (answer.status_code, room.title) == (200, "Tea")


# --- What goes meanwhile ------------------------------------------------------------------------


@contextmanager
def deleted_once_read(read: type[Model], row: Model, *, times: int = 1) -> Iterator[None]:
    """Delete a row as another would, right after so many statements that read from a table."""
    left, is_there = times, True

    def execute(go_on: Any, sql: str, *rest: Any) -> Any:
        nonlocal left, is_there
        if left == 0 and is_there:
            is_there = False
            type(row)._base_manager.filter(pk=row.pk).delete()
        left -= left > 0 and f'FROM "{read._meta.db_table}"' in sql
        return go_on(sql, *rest)

    with connection.execute_wrapper(execute):
        yield
    assert not is_there


@pytest.mark.parametrize(
    ("act", "gone", "status"),
    [("live/", "session", 404), ("live/", "room", 404), ("change/", "room", 200), ("peer", "session", 200)],
)
def test_a_page_of_what_is_deleted_meanwhile_fails_nothing(operator, act, gone, status):
    session = live_room("Tea").sessions.get(ended_at=None)
    peer = session.peers.get()
    page = f"peer/{peer.pk}/change/" if act == "peer" else f"session/{session.pk}/{act}"

    with deleted_once_read(type(peer if act == "peer" else session), session if gone == "session" else session.room):
        assert operator.get(f"/admin/rooms/{page}").status_code == status


def test_codes_of_a_room_that_is_deleted_meanwhile_are_not_made(operator):
    room = create_room(title="Tea")

    with deleted_once_read(type(room), room):
        answer = operator.post(f"/admin/rooms/room/{room.pk}/codes/", {"make": "guest"})
    assert answer.status_code == 302


@pytest.mark.parametrize("times", [2, 3, 4])
def test_codes_of_a_room_that_is_deleted_meanwhile_are_not_replaced(operator, times):
    room = create_room(title="Tea")
    code = room.codes.get(role="guest")
    form = {"action": "replace", "_selected_action": code.pk, "confirmed": "yes"}

    with deleted_once_read(type(code), room, times=times):
        assert operator.post("/admin/rooms/roomcode/", form).status_code == 302
