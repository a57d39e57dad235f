"""The catalogues of the pages' languages: whole, current, and used for everything that people read."""

import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation.template import templatize

from tests.support.server import ROOT

PAGE = ROOT / "static/rooms/page"
TEMPLATES = sorted((ROOT / "templates/rooms").glob("*.html"))
LANGUAGES = sorted({code for code, _ in settings.LANGUAGES} - {settings.LANGUAGE_CODE})
CATALOGUES = [
    ROOT / f"locale/{code}/LC_MESSAGES/{domain}.po" for code in LANGUAGES for domain in ("django", "djangojs")
]

PLACE = re.compile(r"\{\w+\}|%\(\w+\)\w|</?\w+>")
STRING = r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
CALL = re.compile(rf"\bn?gettext(?:_lazy)?\(\s*u?{STRING}(?:,\s*u?{STRING})?", re.DOTALL)
LITERAL = re.compile(rf"(?:{STRING}|`((?:[^`\\]|\\.)*)`)")

# What looks said and is not: keys, states of a connection, and lines with selectors, classes and the like.
UNSAID = re.compile(
    r"Enter|Escape|Tab|Home|End|Arrow(Up|Down|Left|Right)|Connected|Disconnected|Reconnecting|Notification"
    # Names that others shall not have, and reasons that go over the wire.
    r"|the room|Only to \{name\}|The host ended it\.|peer kicked"
)
LOOKS_SAID = re.compile(r"^[A-Z][a-z]+\b|[a-z…,.:?!}] [a-zA-Z{]|…")
UNSAID_IN = re.compile(
    r"class: |aria-describedby|matchMedia\(|rel: |querySelector|closest\(|matches\(|startsWith\(|inWords\(|new Error\("
    r"|style\.|from "
)


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: str(path.relative_to(ROOT / "locale")))
def test_a_catalogue_is_whole(path):
    catalogue = polib.pofile(str(path))
    [forms] = map(int, re.findall(r"nplurals=(\d)", catalogue.metadata["Plural-Forms"]))
    assert len(catalogue) > 100
    assert [entry.msgid for entry in catalogue if not entry.translated() or entry.fuzzy or entry.obsolete] == []
    assert [entry.msgid for entry in catalogue if len(entry.msgstr_plural or range(forms)) != forms] == []
    assert [wrong for entry in catalogue for wrong in misplaced(entry)] == []


def misplaced(entry: polib.POEntry) -> Iterator[str]:
    """Texts that leave out a value, or name one that there is not; a plural may say its number in words."""
    given = set(PLACE.findall(f"{entry.msgid} {entry.msgid_plural}"))
    spoken = {"{count}", "%(people)s"} if entry.msgid_plural else set()
    for text in entry.msgstr_plural.values() or [entry.msgstr]:
        if not given - spoken <= set(PLACE.findall(text)) <= given:
            yield text


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: str(path.relative_to(ROOT / "locale")))
def test_a_compiled_catalogue_is_current(path):
    compiled = polib.mofile(str(path.with_suffix(".mo")))
    assert told(compiled) == told(polib.pofile(str(path)))


def told(catalogue: polib.POFile | polib.MOFile) -> dict[str, str | dict[int, str]]:
    return {entry.msgid: entry.msgstr_plural or entry.msgstr for entry in catalogue}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_in_the_catalogues_and_no_other(language):
    folder = ROOT / "locale" / language / "LC_MESSAGES"
    of_script = {text for path in PAGE.rglob("*.js") for text in called(path.read_text())}
    of_server = {text for path in (ROOT / "rooms").glob("*.py") for text in called(path.read_text())}
    of_server |= {text for path in TEMPLATES for text in called(templatize(path.read_text()))}
    assert set(told(polib.pofile(str(folder / "djangojs.po")))) == of_script
    assert set(told(polib.pofile(str(folder / "django.po")))) == of_server


def called(source: str) -> Iterator[str]:
    for found in CALL.finditer(source):
        yield found[1][1:-1].replace('\\"', '"').replace("\\'", "'")


@pytest.mark.parametrize("path", sorted(PAGE.rglob("*.js")), ids=lambda path: path.name)
def test_no_text_of_the_script_passes_by_its_translation(path):
    assert list(unsaid(path)) == []


def unsaid(path: Path) -> Iterator[str]:
    source = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    source = CALL.sub("", re.sub(r"^\s*//.*$|\s// .*$", "", source, flags=re.MULTILINE))
    for line in source.splitlines():
        for found in LITERAL.finditer(line):
            text = found[1][1:-1] if found[1] else re.sub(r"\$\{.*", "", found[2])
            if LOOKS_SAID.search(text) and not UNSAID.fullmatch(text) and not UNSAID_IN.search(line):
                yield line.strip()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_text_of_a_template_passes_by_its_translation(path):
    source = re.sub(r"{% blocktranslate.*?{% endblocktranslate %}", "", path.read_text(), flags=re.DOTALL)
    source = re.sub(r"{% block (?:body_class|head) %}.*?{% endblock %}|{%.*?%}|{{.*?}}", "", source, flags=re.DOTALL)
    texts = re.findall(r">([^<>]*)<", source) + re.findall(r'\b(?:aria-label|title|placeholder)="([^"]*)"', source)
    untranslated = {text.strip() for text in texts if re.search("[A-Za-z]{2}", text)}
    assert untranslated - {"hmsroom", "abc-defg-hij"} == set()
