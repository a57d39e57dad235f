"""Names and titles: what is seen of them, and what they may cost."""

import unicodedata

import pytest
from django.core.exceptions import ValidationError

from rooms.creation.rooms import create_room
from rooms.wire.errors import BadRequest
from rooms.wire.names import MAX_MARKS, clean_name

BLANK = [
    *("\u200b", "\u200c", "\u200d", "\u2060", "\u00ad", "\u034f", "\u115f", "\u1160", "\u3164", "\uffa0", "\u2800"),
    *("\u180b", "\u180e", "\u180f", "\u17b4", "\u17b5", "\ufe0f", "\ufff9", "\ufffb", "\ufffc", "\U000e0001"),
    *("\U000e0041", "\U000e007f", "\U000e0100", "\u202e", "\u2066", "\u061c", "\ufeff", "\u0301", "\u20dd", "\ue000"),
    *("\u00a0", "\u3000", "\u2028", "\0", "\x7f", "\U0001d159", "\U0001d173"),
]


@pytest.mark.parametrize("character", BLANK, ids=lambda character: f"U+{ord(character):04X}")
def test_a_name_of_what_shows_nothing_is_no_name(character):
    assert clean_name(character, limit=100) == ""
    assert clean_name(f" {character}{character}\u200d ", limit=100) == ""


@pytest.mark.parametrize(
    "character", ["\u200b", "\u00ad", "\u2060", "\u3164", "\u202e", "\u2067", "\U000e0041", "\ufeff"]
)
def test_what_shows_nothing_makes_no_second_ana(character):
    assert clean_name(f"An{character}a{character}", limit=100) == "Ana"


@pytest.mark.parametrize(
    "name", ["👩‍👩‍👧", "❤️", "क्\u200dष", "Ngũgĩ wa Thiong'o", "Nguyễn Thị Ánh", "שָׁלוֹם", "한국", "العربية"]
)
def test_names_of_the_world_stay_as_they_are(name):
    assert clean_name(name, limit=100) == unicodedata.normalize("NFC", name)


def test_stacks_of_marks_are_clipped():
    name = clean_name("Z" + "\u0335\u0300" * 40 + "algo", limit=100)
    assert len(name) == len("Zalgo") + MAX_MARKS


def test_a_name_is_refused_by_its_length_before_anything_else_is_done_with_it():
    with pytest.raises(BadRequest) as refusal:
        clean_name("\u0301" * 60_000, limit=100)
    assert refusal.value.message == "name: longer than 100 characters"


def test_titles_are_cleaned_as_names_are(db):
    assert create_room(title="\u202e Tea \u200b\u200b room\u3164").title == "Tea room"
    assert create_room(title="\u200b").title == ""
    with pytest.raises(ValidationError):
        create_room(title="x" * 201)
