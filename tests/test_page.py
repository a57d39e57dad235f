"""The page is made of a template and a script, which have to call its parts the same."""

import re
from pathlib import Path

from rooms import assets
from tests.support.server import ROOT

TEMPLATES = "".join(path.read_text() for path in (ROOT / "templates/rooms").glob("*.html"))
PAGE = ROOT / "static/rooms/page"
SCRIPT = "".join(path.read_text() for path in PAGE.rglob("*.js"))
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


def loaded_by(*names: str) -> set[Path]:
    """The files of scripts of the page and all that these import."""
    loaded: set[Path] = set()
    waiting = [PAGE / f"{name}.js" for name in names]
    while waiting:
        path = waiting.pop()
        if path not in loaded:
            loaded.add(path)
            waiting += [(path.parent / name).resolve() for name in IMPORT.findall(path.read_text())]
    return loaded


def test_every_file_of_the_page_is_loaded():
    assert {*PAGE.rglob("*.js")} - loaded_by(*assets.SCRIPTS, "theme") == set()


def test_what_is_needed_later_is_not_loaded_before():
    later = {PAGE / "later.js", *(PAGE / "later").glob("*.js")}
    assert loaded_by("main", "start") & later == set()
    assert loaded_by("later") >= later


def test_every_sheet_is_loaded():
    loaded = {name for sheets in assets.STYLES.values() for name in sheets} | {*assets.LATER_STYLES}
    assert {path.stem for path in (ROOT / "static/rooms/styles").glob("*.css")} == loaded
