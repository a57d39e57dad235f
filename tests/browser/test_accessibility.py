"""Every state of the pages, in both themes, by the rules of WCAG 2.2 A and AA."""

from itertools import product

import pytest

from tests.browser.person import NARROW, WIDE, People
from tests.browser.states import FULL, states
from tests.support.axe import barriers
from tests.support.sampling import sampled
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SCREENS = {"wide": WIDE, "narrow": NARROW}


# Each state in each theme, and on each screen.
@pytest.mark.parametrize(
    ("screen", "theme"), sampled(product(SCREENS, ("light", "dark")), [("wide", "light"), ("narrow", "dark")])
)
async def test_no_state_of_any_page_keeps_anybody_out(chromium, screen, theme):
    found = {}
    with RunningServer(RATE_LIMIT=0, MAX_ROOM_PEERS=FULL) as server:
        people = People(chromium, server.url)
        people.forgive("Applying inline style")  # of axe-core's own, to measure
        async for name, page in states(people, viewport=SCREENS[screen], reduced_motion="reduce"):
            await page.emulate_media(color_scheme=theme)
            if wrong := await barriers(page):
                found[name] = wrong
        await people.close()
        assert people.complaints == []
    assert found == {}
