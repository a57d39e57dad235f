"""Rooms in cells, as docs/scaling.md has them: two deployments, a router by `/init`, and apps that run on hms.js."""

import asyncio

import pytest
from playwright.async_api import Browser

from tests.browser.app import App, Room
from tests.support.router import Router
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HAS_PEERS = "(count) => app.hmsStore.getState(app.selectPeers).length === count"
HAS_HEARD = "(text) => app.hmsStore.getState(app.selectHMSMessages).some(({ message }) => message === text)"
IS_INSIDE = "() => app.hmsStore.getState(app.selectIsConnectedToRoom)"
SAY = "(text) => app.hmsActions.sendBroadcastMessage(text)"


class Cell(RunningServer):
    """Leads to itself whoever asks it under the router's name."""

    def environment(self) -> dict[str, str]:
        return super().environment() | {"PUBLIC_URL": self.url}


def cell(origin: str) -> Cell:
    return Cell(server="uvicorn", ALLOWED_ORIGINS=origin)


async def enter(room: Room, router: Router) -> tuple[list[App], list[str]]:
    """Two apps that know the router alone, and the addresses of the sockets that they open."""
    apps, sockets = [await room.open(user, server=router.url) for user in ("alice", "bob")], list[str]()
    for app in apps:
        app.page.on("websocket", lambda socket: sockets.append(socket.url.partition("?")[0]))
        await app.join()
    return apps, sockets


async def meet(apps: list[App], said: str) -> None:
    """All are in one room, and what one says there everybody hears."""
    for app in apps:
        await app.page.wait_for_function(HAS_PEERS, arg=len(apps))
    await apps[0].run(SAY, said)
    for app in apps:
        await app.page.wait_for_function(HAS_HEARD, arg=said)


async def test_apps_meet_in_the_cell_of_their_room_and_follow_it_to_another(chromium: Browser, origin: str):
    with cell(origin) as first, cell(origin) as second, Router(first, second) as router:
        rooms = {first: first.room("tea"), second: second.room("soup")}  # both have "tea", as the same row
        router.table = {room_id: its for its, room_id in rooms.items()}
        sockets: dict[str, list[str]] = {}
        for room_id, its in router.table.items():
            room = Room(room_id, chromium, first, origin)
            apps, sockets[room_id] = await enter(room, router)
            await meet(apps, "before")
            assert set(sockets[room_id]) == {its.ws_url}
            if its is second:
                await room.close()
            else:
                tea, drinkers = room, apps

        del router.table[tea.id]
        await asyncio.to_thread(first.terminate)
        asked = len(router.asked)
        while len(router.asked) < asked + 3:  # it does not know yet, and they ask again
            await asyncio.sleep(0.02)
        router.table[tea.id] = second
        await drinkers[0].page.wait_for_function(IS_INSIDE)
        await meet(drinkers, "after")
        assert sockets[tea.id][-1] == second.ws_url
        await tea.close()
