"""The page is made of a template and a script, which have to call its parts the same."""

import re
from pathlib import Path

from rooms import assets
from tests.support.server import ROOT

TEMPLATES = "".join(path.read_text() for path in (ROOT / "templates/rooms").glob("*.html"))
SCRIPT = "".join(path.read_text() for path in (ROOT / "static/rooms/page").rglob("*.js"))
IMPORT = re.compile(r'^(?:import\b|export\b|\}).* from "(\.[^"]+)"', re.MULTILINE)
TESTS = "".join(path.read_text() for path in (ROOT / "tests/browser").glob("*.py"))


def test_every_part_that_the_script_asks_for_is_in_the_page():
    asked = set(re.findall(r'\bpart\("([\w-]+)"\)', SCRIPT))
    assert "composer" in asked
    assert asked <= set(re.findall(r'data-part="([\w-]+)"', TEMPLATES))


def test_every_part_of_the_page_is_asked_for():
    parts = re.findall(r'data-part="([\w-]+)"', TEMPLATES)
    assert len(parts) == len(set(parts))
    assert [part for part in parts if f'"{part}"' not in SCRIPT + TESTS] == []


def test_every_other_hook_of_the_page_is_read():
    hooks = set(re.findall(r"\sdata-([\w-]+)", TEMPLATES)) - {"part"}
    read = {hook: re.sub(r"-(\w)", lambda letter: letter[1].upper(), hook) for hook in hooks}
    assert [hook for hook, name in read.items() if not re.search(rf"\b{name}\b|data-{hook}", SCRIPT)] == []


def test_every_file_of_the_page_is_loaded():
    loaded: set[Path] = set()
    waiting = [ROOT / f"static/rooms/page/{name}.js" for name in (*assets.SCRIPTS, "theme")]
    while waiting:
        path = waiting.pop()
        if path not in loaded:
            loaded.add(path)
            waiting += [(path.parent / name).resolve() for name in IMPORT.findall(path.read_text())]
    assert {*(ROOT / "static/rooms/page").rglob("*.js")} - loaded == set()
