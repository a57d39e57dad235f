"""The codes with which sockets are closed are the same in the server, the script and the documentation."""

import re

from rooms.wire import close_codes
from tests.support.server import ROOT

SERVER = {name: code for name, code in vars(close_codes).items() if name.isupper() and name != "PAGE_CLOSED"}


def test_the_script_has_the_close_codes_of_the_server():
    source = (ROOT / "static/rooms/client/connection/closing.js").read_text()
    [table] = re.findall(r"CLOSE_CODES = Object\.freeze\(\{(.*?)\}\)", source, re.DOTALL)
    assert {name: int(code) for name, code in re.findall(r"(\w+): (\d+)", table)} == SERVER


def test_a_page_says_that_it_closes_with_the_code_that_the_server_knows():
    source = (ROOT / "static/rooms/client/connection/closing.js").read_text()
    assert f"PAGE_CLOSED = {close_codes.PAGE_CLOSED};" in source
    assert f"closes the socket with {close_codes.PAGE_CLOSED}." in (ROOT / "docs/protocol.md").read_text()


def test_no_other_file_of_the_script_names_a_close_code():
    scripts = [path for path in (ROOT / "static/rooms/client").rglob("*.js") if path.name != "closing.js"]
    found = {(path.name, code) for path in scripts for code in re.findall(r"\b(?:40\d\d|101\d)\b", path.read_text())}
    assert found == set()


def test_every_close_code_is_documented():
    page = (ROOT / "docs/protocol.md").read_text()
    assert {int(code) for code in re.findall(r"^\| (\d{4}) \|", page, re.MULTILINE)} == set(SERVER.values())
