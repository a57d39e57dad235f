"""Every state of the pages, in both themes, by the rules of WCAG 2.2 A and AA."""

import pytest

from tests.browser.person import NARROW, WIDE, People
from tests.browser.states import FULL, states
from tests.support.axe import barriers
from tests.support.browser import settled
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("screen", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_no_state_of_any_page_keeps_anybody_out(chromium, screen):
    found = {}
    with RunningServer(RATE_LIMIT=0, MAX_ROOM_PEERS=FULL) as server:
        people = People(chromium, server.url)
        people.forgive("Applying inline style")  # of axe-core's own, to measure
        async for name, page in states(people, viewport=screen, reduced_motion="reduce"):
            for theme in ("light", "dark"):
                await page.emulate_media(color_scheme=theme)
                await settled(page)
                if wrong := await barriers(page):
                    found[f"{name} {theme}"] = wrong
        await people.close()
        assert people.complaints == []
    assert found == {}
