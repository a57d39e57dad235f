"""The script knows what the server says."""

import re

from rooms.wire.roles import PERMISSIONS
from tests.support.server import ROOT

CLIENT = "".join(path.read_text() for path in (ROOT / "static/rooms/client").rglob("*.js"))
TESTS = "".join(path.read_text() for path in (ROOT / "tests/js").glob("*.js"))
SERVER = "".join(path.read_text() for path in (ROOT / "rooms").rglob("*.py"))

PASSED_OVER = {"room-state"}
"""What is told before joining: the page is served with it."""


def test_every_event_is_heard_and_that_is_tested():
    events = set(re.findall(r'"(on-[a-z-]+|peer-list|room-state|room-info|session-info)"', SERVER))
    assert {event for event in events if f'"{event}"' not in CLIENT} == PASSED_OVER
    assert {event for event in events if f'"{event}"' not in TESTS} - PASSED_OVER == set()


def test_every_permission_has_a_type():
    [union] = re.findall(r"type HMSPermission =([^;]*);", (ROOT / "static/rooms/hms.d.ts").read_text())
    assert sorted(re.findall(r'"(\w+)"', union)) == sorted(PERMISSIONS)


def test_the_page_has_words_for_the_lack_of_every_permission():
    [table] = re.findall(r"PERMISSIONS = \{(.*?)\}", (ROOT / "static/rooms/page/later/words.js").read_text(), re.DOTALL)
    assert sorted(re.findall(r"(\w+): ", table)) == sorted(PERMISSIONS)
