"""Names as people see them."""

import re
import unicodedata

from rooms.wire.errors import BadRequest

_LEFT_OUT = {"Cc", "Cf", "Cs", "Co", "Cn"}  # controls, marks of direction, unassigned: none of them shows
# These shape what stands before them, such as an emoji or a letter of another script, and show nothing themselves.
_SHAPING = frozenset("\u200c\u200d\u180b\u180c\u180d\u180f") | {chr(code) for code in range(0xFE00, 0xFE10)}
# Letters, symbols and marks that fonts leave empty, such as the fillers of Hangul.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\U0001d159") | {
    chr(code) for code in range(0xE0100, 0xE01F0)
}
_PLAIN = re.compile("[!-~]")
_MARKS = {"Mn", "Me"}
MAX_MARKS = 4
"""Marks on one letter; a tall stack of them would cover the lines above and below."""


def clean_name(text: str, *, limit: int, field: str = "name") -> str:
    """A name as it is shown: NFC, trimmed, white space folded, without what shows nothing, marks clipped.

    Empty if nothing is left to see. Raises BadRequest if it is longer than limit characters.
    """
    # Before anything that costs more than its bytes; a character may be made of several.
    if len(text) > 8 * limit:
        raise BadRequest(f"{field}: longer than {limit} characters")
    if text.isascii() and text.isprintable():
        name = " ".join(text.split())  # of these each shows, or is a space
    else:
        # Composed at last: what was taken out may have stood between a letter and its mark.
        name = _clip(unicodedata.normalize("NFC", " ".join("".join(map(_shown, text)).split())))
    if len(name) > limit:
        raise BadRequest(f"{field}: longer than {limit} characters")
    return name


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    if character in _SHAPING:
        return character
    return "" if character in _BLANK or unicodedata.category(character) in _LEFT_OUT else character


def shows(text: str) -> bool:
    """Whether there is anything to see in a text."""
    return bool(_PLAIN.search(text)) or any(
        _shown(character) not in ("", " ")
        and character not in _SHAPING
        and unicodedata.category(character) not in _MARKS
        for character in text
    )


def _clip(name: str) -> str:
    """The name without marks that stand on nothing, and those beyond MAX_MARKS on one character."""
    kept: list[str] = []
    room = 0  # for marks on what stands before
    for character in name:
        if character in _SHAPING or unicodedata.category(character) in _MARKS:
            if room:
                room -= 1
                kept.append(character)
        else:
            room = 0 if character == " " else MAX_MARKS
            kept.append(character)
    return " ".join("".join(kept).split())
