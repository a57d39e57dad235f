"""Rooms for the admin to show, and its pages as a browser without scripts uses them."""

import re
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from rooms.creation.rooms import create_room
from rooms.models import MetadataEntry, Peer, Room, Session, Worker


def live_room(title: str = "Tea", people: int = 1) -> Room:
    """A room with a live session, people in it, a value, and a session that is over."""
    room, now = create_room(title=title), timezone.now()
    past = Session.objects.create(
        room=room, started_at=now - timedelta(days=1, minutes=5), ended_at=now - timedelta(days=1), end_reason="bye"
    )
    session = Session.objects.create(room=room, started_at=now)
    worker = Worker.objects.create(id=f"worker-{room.pk}"[:32], last_seen=now)
    for at in (past, session):
        for n in range(people):
            Peer.objects.create(
                session=at, peer_id=f"peer-{n}", user_id=f"user-{n}", name=f"Alice {n}", role="host", joined_at=now,
                state=Peer.State.CONNECTED if at is session else Peer.State.LEFT, worker=worker.pk,
            )  # fmt: skip
    MetadataEntry.objects.create(
        session=session, key="topic", data='{"of":["tea",null]}', change_version=7, updated_by="peer-0",
        updated_by_name="Alice 0", updated_at=now,
    )  # fmt: skip
    return room


def page(client: Client, path: str, **query: str) -> str:
    answer = client.get(f"/admin/rooms/{path}", query)
    assert answer.status_code == 200
    return answer.content.decode()


class _Form(HTMLParser):
    """The values of a page's last form that is not the site's own."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self.values = {}
        elif tag == "input" and given.get("type") == "checkbox":
            if "checked" in given:
                self.values.setdefault(name, []).append(value or "on")
        elif tag == "input" and name and given.get("type") != "submit":
            self.values[name] = value
        elif tag == "textarea":
            self.inside, self.values[name] = name, ""
        elif tag == "select":
            self.inside = name
        elif tag == "option" and self.inside and "selected" in given:
            self.values.setdefault(self.inside, []).append(value)

    def handle_data(self, data: str) -> None:
        if isinstance(self.values.get(self.inside), str):
            self.values[self.inside] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self.inside = ""


def form_in(html: str) -> dict[str, Any]:
    """What a browser would send of the form of a page, as it stands."""
    found = _Form()
    [form] = re.findall(r'<form[^>]*id="\w+_form".*?</form>', html, re.DOTALL)
    found.feed(form)
    return {name: value for name, value in found.values.items() if name != "csrfmiddlewaretoken"}


def form_at(client: Client, path: str) -> dict[str, Any]:
    return form_in(page(client, path))


def seen_at(client: Client, path: str) -> str:
    """What a page's form says it was made from."""
    return unescape(re.findall(r'name="seen" value="([^"]*)"', page(client, path))[0])


def act(client: Client, model: str, action: str, *rows: Model, **more: str) -> str:
    """Run an action of a list page; the text of the page that follows."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0"}
    return client.post(f"/admin/rooms/{model}/", {**chosen, **more}, follow=True).content.decode()


def answer(client: Client, question: str) -> str:
    """Say yes to a page that asks; the text of the page that follows."""
    [address] = re.findall(r'<form method="post" action="([^"]+)"', question)
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', question.partition(address)[2])
    form: dict[str, list[str]] = {}
    for name, value in found:
        form.setdefault(name, []).append(value)
    form.pop("csrfmiddlewaretoken", None)
    return client.post(address, form, follow=True).content.decode()


def staff(name: str, *rights: str) -> User:
    """Somebody of the staff with these rights, such as ``view_room``."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights, content_type__app_label="rooms"))
    return user


def desk_of(client: Client, *rights: str) -> Client:
    """The client, logged in as Olga, who is of the staff with these rights."""
    client.force_login(staff("olga", *rights))
    return client
