"""In which language the server answers: the reader's on pages, English everywhere else."""

import gzip
import json
import re

import pytest
from django.test import Client
from django.utils import timezone

from rooms.catalogue import block
from rooms.creation.rooms import create_room
from rooms.models import Peer, Session

pytestmark = pytest.mark.django_db

YEAR = 365 * 24 * 60 * 60  # seconds


def start_page(accepted: str = "", client: Client | None = None) -> str:
    return (client or Client()).get("/", HTTP_ACCEPT_LANGUAGE=accepted).content.decode()


@pytest.mark.parametrize(
    ("accepted", "tag", "heading"),
    [
        ("", '<html lang="en" dir="ltr">', "A room to talk in"),
        ("fr, en;q=0.5", '<html lang="en" dir="ltr">', "A room to talk in"),
        ("de-AT,de;q=0.9,en;q=0.5", '<html lang="de" dir="ltr">', "Ein Raum zum Reden"),
        ("es-MX", '<html lang="es" dir="ltr">', "Una sala para conversar"),
        ("fr, ar-EG;q=0.8, en;q=0.5", '<html lang="ar" dir="rtl">', "غرفة للحديث"),
    ],
)
def test_a_page_is_in_the_first_language_of_the_browser_that_there_is(accepted, tag, heading):
    page = start_page(accepted)
    assert tag in page
    assert f"<h1>{heading}</h1>" in page


def test_what_a_reader_chose_counts_and_leads_back_to_where_they_were():
    client = Client()
    answer = client.post("/language", {"language": "es", "next": "/r/abc-defg-hij/"})
    assert (answer.status_code, answer["Location"]) == (302, "/r/abc-defg-hij/")
    cookie = answer.cookies["language"]
    assert (cookie["samesite"], cookie["httponly"], cookie["max-age"]) == ("Lax", True, YEAR)
    assert '<html lang="es"' in start_page("de", client)


@pytest.mark.parametrize("address", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", ""])
def test_a_choice_leads_to_no_other_site(address):
    assert Client().post("/language", {"language": "de", "next": address})["Location"] == "/"


@pytest.mark.parametrize("language", ["xx", "../de", "<b>", ""])
def test_a_language_that_there_is_not_changes_nothing(language):
    client = Client()
    client.post("/language", {"language": language})
    assert '<html lang="de"' in start_page("de", client)


def test_no_other_site_can_choose():
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/language", {"language": "ar"})
    assert answer.status_code == 403
    assert "language" not in answer.cookies


def test_refusals_are_told_in_the_reader_s_language():
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    assert "Hier ist nichts" in client.get("/nowhere").content.decode()
    assert "Gib einen Code ein" in client.get("/rooms/open").content.decode()
    assert "dieser hat 101" in client.post("/rooms/new", {"title": "x" * 101}).content.decode()


def test_what_programs_and_staff_read_is_english(admin_client, settings):
    settings.ROOT_URLCONF, settings.ADMIN_PATH = "tests.urls_with_admin", "admin/"
    german = Client(HTTP_ACCEPT_LANGUAGE="de")
    assert german.get("/v2/token").json()["message"] == "method: expected POST"
    answer = admin_client.get("/admin/", HTTP_ACCEPT_LANGUAGE="de")
    assert "Site administration" in answer.content.decode()
    assert "Accept-Language" not in answer.get("Vary", "")


@pytest.mark.parametrize("people", range(4))
def test_a_number_takes_the_form_that_the_language_has_for_it(people):
    room = create_room()
    session = Session.objects.create(room=room) if people else None
    for at in range(people):
        Peer.objects.create(session=session, peer_id=f"p{at}", user_id="u", role="guest", joined_at=timezone.now())
    page = Client().get(f"/r/{room.codes.get(role='guest').code}/", HTTP_ACCEPT_LANGUAGE="ar").content.decode()
    assert ["لا أحد في الغرفة.", "شخص واحد في الغرفة.", "شخصان في الغرفة.", "3 أشخاص في الغرفة."][people] in page


# --- The words of the script ---


@pytest.fixture
def path() -> str:
    return f"/r/{create_room().codes.get(role='guest').code}/"


def block_in(page: str) -> str:
    [text] = re.findall(r'<script type="application/json" data-part="words">(.*?)</script>', page, re.DOTALL)
    return text


@pytest.mark.parametrize(("language", "said"), [("de", "Antwort senden"), ("ar", "إرسال الإجابة")])
def test_a_room_s_page_brings_the_words_of_its_language(path, language, said):
    words = json.loads(block_in(Client().get(path, HTTP_ACCEPT_LANGUAGE=language).content.decode()))
    assert words["Send the answer"] == said
    assert len(words["{count} vote"]) == {"de": 2, "ar": 6}[language]


def test_in_english_a_page_brings_no_words(path):
    assert 'data-part="words"' not in Client().get(path).content.decode()


@pytest.mark.parametrize("sign", ["</script><script>alert(1)</script>", "<!--<script>", "&lt;"])
def test_no_word_ends_the_script_that_it_stands_in(sign):
    assert "<" not in block({sign: sign})
    assert json.loads(block({sign: sign})) == {sign: sign}


def test_a_room_s_page_is_compressed_for_who_takes_that(path):
    answer = Client().get(path, HTTP_ACCEPT_LANGUAGE="ar", HTTP_ACCEPT_ENCODING="gzip")
    assert answer["Content-Encoding"] == "gzip"
    assert "إرسال الإجابة" in gzip.decompress(answer.content).decode()
