"""Others that hear of a room from outside: a back end that is told of keys, and somebody who looks at the admin."""

import asyncio
import re
import secrets
from typing import Any

import httpx

from tests.support.receiver import Receiver
from tests.support.server import RunningServer

MAKE_CLERK = """
from django.contrib.auth.models import Permission, User
user = User.objects.create_user({name!r}, password={password!r}, is_staff=True)
seen = Permission.objects.filter(content_type__app_label="rooms", codename__startswith="view_")
user.user_permissions.set(seen.exclude(codename__in=["view_metadataentry", "view_roomcode", "view_auditentry"]))
"""
MOST_PAGES = 40


class BackEnd:
    """Is told everything of a room by webhooks, and of all keys that they changed, but not to what."""

    def __init__(self, server: RunningServer) -> None:
        self._server, self._receiver = server, Receiver()
        self._room_id = ""

    async def begin(self, room_id: str) -> None:
        self._receiver.start()
        self._room_id = room_id
        await asyncio.to_thread(
            self._server.manage, "webhook", "add", self._receiver.url, "--room", room_id, "--key", "*"
        )

    async def end(self) -> None:
        """Return when it was told everything."""
        # Not what is for those of earlier rooms, which do not answer any more.
        waiting = f"SELECT id FROM rooms_webhookdelivery WHERE state = 'waiting' AND room_id = '{self._room_id}'"
        async with asyncio.timeout(60):
            while self._server.select(waiting):
                await asyncio.sleep(0.1)
        self._receiver.stop()

    @property
    def heard(self) -> list[str]:
        return [f"{got.headers} {got.body.decode()}" for got in self._receiver.got]


class Clerk:
    """May look at everything in the admin but values, codes, and who did what."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", follow_redirects=True, timeout=60)
        self.heard: list[str] = []

    async def begin(self) -> None:
        name, password = f"clerk-{secrets.token_hex(4)}", secrets.token_hex(16)
        made = MAKE_CLERK.format(name=name, password=password)
        await asyncio.to_thread(self._server.manage, "shell", "--no-imports", "-c", made)
        form: dict[str, Any] = {"username": name, "password": password}
        await self._http.get("/admin/login/")
        form["csrfmiddlewaretoken"] = self._http.cookies["csrftoken"]
        answer = await self._http.post("/admin/login/?next=/admin/", data=form)
        assert "Log out" in answer.text

    async def look(self, session_id: str) -> None:
        """Read all pages of a session, and those that they lead to."""
        start = f"/admin/rooms/session/{session_id}/"
        ahead, seen = [f"{start}live/", f"{start}change/", "/admin/"], set[str]()
        while ahead and len(seen) < MOST_PAGES:
            path = ahead.pop(0)
            if path in seen or re.search("logout|/history/|_filters=", path):
                continue
            seen.add(path)
            answer = await self._http.get(path)
            assert answer.status_code in (200, 403, 404), (path, answer.status_code)
            self.heard.append(f"{path} {answer.text}")
            ahead += re.findall(r'href="(/admin/[^"#]*)', answer.text.replace("&amp;", "&"))

    async def end(self) -> None:
        await self._http.aclose()
