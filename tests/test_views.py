import re

import jwt
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from rooms import assets, views
from rooms.access import tokens
from rooms.access.headers import CONTENT_SECURITY_POLICY
from rooms.api import http
from rooms.creation.rooms import create_room
from rooms.creation.templates import default_template
from rooms.models import Peer, Room, RoomCode, Session
from rooms.wire.rates import Buckets

pytestmark = pytest.mark.django_db

MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def team(db: None) -> Room:
    return create_room(title="Team")


def code_of(room: Room, role: str) -> str:
    return str(room.codes.get(role=role).code)


def shown(client: Client, path: str, **query: str) -> str:
    return client.get(path, query).content.decode()


def test_making_a_room_leads_into_it_as_its_host(client):
    answer = client.post("/rooms/new", {"title": "  Monday   planning "})
    code = RoomCode.objects.get(role="host")
    assert (answer.status_code, answer["Location"]) == (302, f"/r/{code.code}/")
    assert code.room.title == "Monday planning"
    assert {each.role for each in code.room.codes.all()} == {"host", "guest", "viewer"}
    page = shown(client, answer["Location"])
    assert "Monday planning" in page
    assert "Nobody is inside." in page


def test_a_room_may_have_no_title(client):
    answer = client.post("/rooms/new")
    assert "A room" in shown(client, answer["Location"])


def test_a_title_that_is_too_long_is_given_back_with_the_reason(client):
    answer = client.post("/rooms/new", {"title": "x" * 101})
    assert answer.status_code == 400
    assert "at most 100 characters; this one has 101" in answer.content.decode()
    assert "x" * 101 in answer.content.decode()
    assert not Room.objects.exists()


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("bell\x07", "without control characters"),
        ("\N{MUSICAL SYMBOL EIGHTH NOTE}" * 100, "longer than 200 characters"),
    ],
)
def test_a_title_that_a_room_cannot_have_is_given_back_with_the_reason(client, title, reason):
    answer = client.post("/rooms/new", {"title": title})
    assert answer.status_code == 400
    assert reason in answer.content.decode()
    assert not Room.objects.exists()


def test_who_makes_a_room_without_a_host_has_the_role_that_comes_first(client):
    template = default_template()
    template.roles = {"pupil": {"priority": 2}, "teacher": {"priority": 1}, "visitor": {"priority": 3}}
    template.save()
    answer = client.post("/rooms/new")
    assert answer["Location"] == f"/r/{RoomCode.objects.get(role='teacher').code}/"


def test_one_address_makes_only_so_many_rooms_at_once(client, monkeypatch):
    monkeypatch.setattr(http, "_addresses", Buckets(0.001, 2))
    answers = [client.post("/rooms/new", {"title": "Again"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert "Too many rooms" in answers[2].content.decode()
    assert Room.objects.count() == 2


def test_a_foreign_form_makes_no_room():
    answer = Client(enforce_csrf_checks=True).post("/rooms/new", {"title": "x"})
    assert answer.status_code == 403
    assert "That did not work" in answer.content.decode()
    assert not Room.objects.exists()


@pytest.mark.parametrize(
    "form", ["{}", " {} ", "http://testserver/r/{}/", "https://elsewhere.example/r/{}/?a=b#c", "{}/"]
)
def test_a_room_is_opened_by_its_code_or_by_a_pasted_link(client, team, form):
    code = code_of(team, "guest")
    answer = client.get("/rooms/open", {"code": form.format(code.upper() if form == " {} " else code)})
    assert (answer.status_code, answer["Location"]) == (302, f"/r/{code}/")


@pytest.mark.parametrize(("given", "status"), [("abc-defg-hij", 404), ("", 400), ("http://[", 404), (MARKUP, 404)])
def test_a_code_of_no_room_is_given_back_with_the_reason(client, given, status):
    answer = client.get("/rooms/open", {"code": given})
    assert answer.status_code == status
    assert 'role="alert"' in answer.content.decode()
    assert MARKUP not in answer.content.decode()


@pytest.mark.urls("tests.urls_with_admin")
def test_room_creation_can_be_for_staff_alone(client, settings):
    settings.ROOM_CREATION = "staff"
    settings.ADMIN_PATH = "admin/"
    assert "only its staff" in shown(client, "/")
    answer = client.post("/rooms/new")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/")

    client.force_login(User.objects.create_user("visitor"))
    assert client.post("/rooms/new").status_code == 302
    assert not Room.objects.exists()

    client.force_login(User.objects.create_user("keeper", is_staff=True))
    assert 'action="/rooms/new"' in shown(client, "/")
    client.post("/rooms/new")
    assert Room.objects.count() == 1


def test_without_an_admin_nobody_is_sent_to_log_in(client, settings):
    settings.ROOM_CREATION = "staff"
    settings.ADMIN_PATH = ""
    assert client.post("/rooms/new").status_code == 403


def test_the_lobby_counts_who_is_inside(client, team, monkeypatch):
    session = Session.objects.create(room=team)
    past = Session.objects.create(room=team, ended_at=timezone.now())
    for at, (of, state) in enumerate(
        [(session, "connected"), (session, "reconnecting"), (session, "left"), (past, "connected")]
    ):
        Peer.objects.create(
            session=of, peer_id=f"p{at}", user_id="u", role="guest", state=state, joined_at=timezone.now()
        )
    assert "2 people are inside." in shown(client, f"/r/{code_of(team, 'guest')}/")
    address = f"/r/{code_of(team, 'guest')}/door"
    assert client.get(address).json() == {"inside": "2 people are inside.", "locked": False, "removed": False}
    Session.objects.filter(pk=session.pk).update(locked=True)
    german = client.get(address, headers={"accept-language": "de"})
    assert german.json() == {"inside": "2 Personen sind im Raum.", "locked": True, "removed": False}
    assert german["Cache-Control"] == "private, no-cache"

    # Who tried to enter reads of themselves.
    owner = tokens.owner_by_secret("s" * 16)
    own, _ = tokens.sign(str(team.pk), "guest", "u", owner=owner)
    person = session.persons.create(owner=owner, removed_at=timezone.now())
    for token, removed in ((own, True), ("", False)):
        told = client.get(address, headers={"token": token}).json()
        assert (told["locked"], told["removed"]) == (True, removed)
    assert client.get(address, headers={"token": "x.y.z"}).status_code == 401
    monkeypatch.setattr(http, "_addresses", Buckets(1, 2))
    stranger = jwt.encode({"access_key": "another"}, "x" * 32)
    statuses = [client.get(address, headers={"token": stranger}).status_code for _ in range(3)]
    assert statuses == [401, 401, 429]  # each has the database asked for its key
    session.persons.filter(pk=person.pk).update(removed_at=None, was_let_in=True)
    told = client.get(address, headers={"token": own}).json()
    assert (told["locked"], told["removed"]) == (False, False)


def test_the_guest_link_is_given_to_hosts_and_nobody_gets_a_code_above_his_own(client, team):
    codes = {role: code_of(team, role) for role in ("host", "guest", "viewer")}
    assert len(set(codes.values())) == 3
    for role, invited in {"host": "guest", "guest": "guest", "viewer": "viewer"}.items():
        page = shown(client, f"/r/{codes[role]}/")
        assert f'data-invite="http://testserver/r/{codes[invited]}/"' in page
        assert {each for each in codes.values() if each in page} == {codes[role], codes[invited]}


def test_a_host_whose_guests_have_no_code_gives_his_own(client, team):
    team.codes.filter(role="guest").update(enabled=False)
    host = code_of(team, "host")
    assert f'data-invite="http://testserver/r/{host}/"' in shown(client, f"/r/{host}/")


def test_an_unknown_room_and_a_closed_one_have_pages_that_say_so(client, team):
    code = code_of(team, "guest")
    missing = client.get("/r/abc-defg-hij/")
    assert (missing.status_code, "No such room" in missing.content.decode()) == (404, True)

    team.codes.filter(role="guest").update(enabled=False)
    closed = client.get(f"/r/{code}/")
    assert (closed.status_code, "This link is no longer good</h1>" in closed.content.decode()) == (403, True)
    assert 'data-part="lobby-inside"></p>' in closed.content.decode()  # that nobody is inside need not be so
    assert team.title not in closed.content.decode()  # who has a link that leaked learns nothing more

    Room.objects.update(enabled=False)
    assert client.get(f"/r/{code_of(team, 'host')}/").status_code == 403
    for shut in (code, code_of(team, "host"), "abc-defg-hij"):
        answer = client.get(f"/r/{shut}/door")
        assert (answer.status_code, answer.json()) == (403, {})


def test_what_people_wrote_is_text(client):
    room = create_room(title=MARKUP)
    page = shown(client, f"/r/{code_of(room, 'host')}/")
    assert MARKUP not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("path", ["/", "/nowhere", "/r/abc-defg-hij/", "/rooms/open", "/static/rooms/page/main.js"])
def test_every_page_carries_the_policy_and_nothing_inline_but_the_theme(client, path):
    answer = client.get(path)
    assert answer["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    if "html" in answer["Content-Type"]:
        assert_nothing_inline_but_the_theme(answer.content.decode())


def test_the_room_has_nothing_inline_but_the_theme_and_nothing_from_elsewhere(client, team):
    page = shown(client, f"/r/{code_of(team, 'host')}/")
    assert_nothing_inline_but_the_theme(page)
    sources = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert [source for source in sources if not source.startswith("/")] == []


def assert_nothing_inline_but_the_theme(page: str) -> None:
    assert re.findall(r"<script(?![^>]*\ssrc=).*?</script>", page, re.DOTALL) == [f"<script>{assets.theme()}</script>"]
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page) == []


def test_pages_are_not_kept_by_shared_caches(client, team):
    assert client.get(f"/r/{code_of(team, 'guest')}/")["Cache-Control"] == "private, no-cache"


def test_methods_that_pages_do_not_know_are_refused(client, team):
    assert client.get("/rooms/new").status_code == 405
    assert client.post(f"/r/{code_of(team, 'guest')}/").status_code == 405
    assert client.head("/").status_code == 200


def test_every_refusal_is_a_page_of_the_same_look(client, rf):
    assert "Nothing here" in shown(client, "/nowhere")
    for refuse, status in ((views.bad_request, 400), (views.permission_denied, 403), (views.server_error, 500)):
        answer = refuse(rf.get("/"))
        assert answer.status_code == status
        assert "Go to the start page" in answer.content.decode()


# --- Frames -------------------------------------------------------------------------------------


def test_nothing_may_be_framed_by_default(client):
    code = create_room().codes.get(role="guest").code
    for path in ("/", f"/r/{code}/", "/r/none/"):
        answer = client.get(path)
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"] and answer["X-Frame-Options"] == "DENY"


def test_only_the_rooms_page_may_be_framed_and_only_by_known_sites(client, settings):
    settings.FRAME_ANCESTORS = ["https://a.example", "https://b.example:8443"]
    code = create_room().codes.get(role="guest").code

    for path in (f"/r/{code}/", "/r/none/"):
        answer = client.get(path)
        policy = answer["Content-Security-Policy"]
        assert policy.endswith("frame-ancestors https://a.example https://b.example:8443")
        assert policy.startswith("default-src 'none'; script-src 'self' 'sha256-") and "X-Frame-Options" not in answer
    for path in ("/", "/nowhere"):
        answer = client.get(path)
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"] and answer["X-Frame-Options"] == "DENY"


def test_rooms_that_a_browser_remembers_are_listed_in_its_order_where_they_can_be_entered(client, team):
    other = create_room(title=MARKUP)
    closed = create_room(title="Closed")
    Room.objects.filter(pk=closed.pk).update(enabled=False)
    session = Session.objects.create(room=team)
    Peer.objects.create(session=session, peer_id="p1", user_id="u", role="host", joined_at=timezone.now())
    codes = [code_of(room, "guest") for room in (other, closed, team)]
    page = client.get("/rooms/recent", {"code": [*codes, "abc-defg-hij"]}).content.decode()
    assert re.findall(r"<bdi>(.*?)</bdi>", page) == ["&lt;script&gt;alert(1)&lt;/script&gt;", "Team"]
    assert re.findall(r'class="inside">(.*?)<', page) == ["Nobody is inside.", "One person is inside."]
    assert "<li>" not in client.get("/rooms/recent").content.decode()
