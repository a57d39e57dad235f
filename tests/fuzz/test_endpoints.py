"""Every address of the server, asked in every odd way: never a bug of ours, and the same answer everywhere."""

import http.client
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from rooms.api.health import Probes
from rooms.wire.parameters import Parameter
from tests.fuzz.deployments import Deployments, filled, written
from tests.fuzz.values import JSON, ODD_STRINGS, field_variants, usual
from tests.support.parameters import declared_parameters
from tests.support.processes import PATIENCE
from tests.support.server import ROOT, RunningServer

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
ODD_PARTS = [
    "%00",
    "%ff",
    "%ED%A0%80",
    "%E2%80%AE",
    "..",
    "%2F",
    "-1",
    "1" * 300,
    "__proto__",
    "x" * 500,
    "a%0Ab",
    "'",
]
ODD_BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"code": "\\u0000", "user_id": 1e999}',
    b'{"code": ' + b"1" * 5000 + b"}",
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b"x" * 70_000,
    b"title=%00&code=%ff&next=//example.org",
    b"--x\r\nContent-Disposition: form-data; name=title\r\n\r\n\x00\r\n--x--",
]
CSRF = "a" * 32


class Request(NamedTuple):
    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


def routes(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """Each path there is, with its converters as ``<…>``."""
    for entry in resolver.url_patterns:
        shown = prefix + re.sub(r"\(\?P<(\w+)>.*\)\$?", r"<\1>", str(entry.pattern))
        if isinstance(entry, URLPattern):
            yield shown
        else:
            yield from routes(entry, shown)


def own_fields() -> list[str]:
    """What the views read from forms and queries, by their source."""
    source = "".join(path.read_text() for path in (Path(ROOT) / "rooms").rglob("*.py"))
    read = re.findall(r"request\.(?:GET|POST)(?:\.get\(|\.getlist\(|\[)\"(\w+)\"", source)
    return sorted({*read, "username", "password", "next", "peer", "token"})


def paths(routes: Sequence[str], code: str) -> Iterator[str]:
    for route in routes:
        yield re.sub(r"<[^>]*>", code, route)
        if "<" in route:
            yield from (re.sub(r"<[^>]*>", part.replace("\\", "\\\\"), route) for part in ODD_PARTS)


def token_requests(server: RunningServer, path: str, room_id: str) -> Iterator[Request]:
    """Calls with a token: a good one, and others."""
    good = server.sign(room_id, "guest", "alice", iat=1, nbf=1, exp=4_000_000_000, jti="jti")
    usual_claims: dict[str, Any] = {"room_id": room_id, "role": "guest", "user": "alice", "jti": "jti"}
    odd = [
        server.sign(**usual_claims | {name: value})
        for name, value in [
            ("user", "a\x00b"),
            ("user", "x" * 5000),
            ("user", {"a": 1}),
            ("room_id", "unknown"),
            ("room_id", 5),
            ("role", "full"),
            ("role", ["guest"]),
            ("role", None),
            ("owner", "code:" + "x" * 500),
            ("owner", 5),
            ("exp", 1),
            ("exp", 1e30),
            ("exp", 10**400),
            ("exp", "soon"),
            ("exp", None),
            ("nbf", 4e9),
            ("iat", "x"),
            ("type", "management"),
            ("access_key", ["x"]),
            ("jti", 7),
        ]
    ]
    for token in [good, *odd, "", "x", "a.b.c", good[:-2], "é", "eyJ-" * 2000]:
        yield Request("GET", path, headers=(("Authorization", f"Bearer {token}"),))
    for part in ["", *ODD_STRINGS[:10], "x" * 129]:
        query = quote(part.encode("utf-8", "surrogatepass"))
        yield Request("GET", f"{path}?peer_id={query}", headers=(("Authorization", f"Bearer {good}"),))


def plain_requests(path: str, fields: Sequence[str]) -> Iterator[Request]:
    for method in METHODS:
        yield Request(method, path)
    for part in ODD_PARTS:
        yield Request("GET", f"{path}?{with_all(fields, part)}")
    pass_csrf = (("Cookie", f"csrftoken={CSRF}"), ("X-CSRFToken", CSRF))
    kinds = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    for body, kind in zip(ODD_BODIES, itertools.cycle(kinds), strict=False):
        yield Request("POST", path, body, (*pass_csrf, ("Content-Type", kind)))
    form = (*pass_csrf, ("Content-Type", kinds[1]))
    for part in ["a", *ODD_PARTS]:
        yield Request("POST", path, with_all(fields, part).encode(), form)


def with_all(fields: Sequence[str], part: str) -> str:
    """A query or form in which each field is this."""
    return "&".join(f"{field}={part}" for field in fields)


def declared_requests(path: str, parameters: tuple[Parameter, ...], code: str) -> Iterator[Request]:
    """Bodies made of the parameters that an endpoint declares."""
    base = {parameter.name: usual(parameter)[0] for parameter in parameters}
    for body in [base, *field_variants(parameters, base)]:
        yield Request("POST", path, written(filled(body, {"code": code})).encode())


def answer(server: RunningServer, asked: Request) -> tuple[int, JSON]:
    """Status, and what else must be the same everywhere."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.putrequest(asked.method, asked.path, skip_accept_encoding=True)
        for name, text in asked.headers:
            connection.putheader(name, text.encode("latin-1"))
        if asked.body is not None or asked.method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(asked.body or b"")))
        connection.endheaders(asked.body)
        try:
            response = connection.getresponse()
        except http.client.HTTPException as error:
            return 0, type(error).__name__
        body = response.read()
        place = re.sub(r"/r/[\w-]+", "/r/<code>", response.headers.get("Location", ""))
    finally:
        connection.close()
    shown: JSON = place
    if response.headers.get("Content-Type", "").startswith("application/json") and body:
        told = json.loads(body)
        shown = {"code": told["code"], "message": told["message"]} if "message" in told else sorted(told)
    return response.status, shown


def check(deployments: Deployments, requests: Any) -> None:
    """Requests for each server, in the same order; their answers must be alike."""

    def on(server: RunningServer) -> list[tuple[Request, tuple[int, JSON]]]:
        return [(asked, answer(server, asked)) for asked in requests(server)]

    with ThreadPoolExecutor(len(deployments.servers)) as pool:
        everywhere = list(pool.map(on, deployments.servers))
    for answers in zip(*everywhere, strict=True):
        shown = f"{str(answers[0][0])[:1500]}\n" + "\n".join(f"{found}"[:800] for _, found in answers)
        assert all(found[0] < 500 for _, found in answers), shown
        # Twisted, below daphne, reads these itself and refuses them before Django could.
        by_server = any("multipart" in text for _, text in answers[0][0].headers)
        assert by_server or all(found == answers[0][1] for _, found in answers), shown
    deployments.check_logs()


@pytest.fixture
def code(deployments: Deployments) -> str:
    """Of a room that nobody is in."""
    return f"guest-{int(deployments.room(), 16)}"


def test_every_page_and_endpoint(deployments: Deployments, code: str) -> None:
    own = [*routes(get_resolver("rooms.urls")), *Probes.VIEWS, "/v2/ws", "/nothing/<here>"]
    fields = own_fields()
    asked = [request for path in own for request in plain_requests(re.sub(r"<[^>]*>", code, path), fields)]
    asked += [Request("GET", path) for path in paths([path for path in own if "<" in path], code)]
    check(deployments, lambda server: asked)


def test_tokens_of_every_kind(deployments: Deployments) -> None:
    room_id = deployments.room()
    for path in ("/init", "/v2/layouts/ui"):
        check(deployments, lambda server, path=path: token_requests(server, path, room_id))


def test_declared_parameters_of_endpoints(deployments: Deployments, code: str) -> None:
    declared = declared_parameters().items()
    asked = [request for path, parameters in declared for request in declared_requests(path, parameters, code)]
    check(deployments, lambda server: asked)


def test_the_admin(deployments: Deployments, code: str) -> None:
    """Its log-in in every way; the pages behind it, as somebody who is not logged in."""
    admin = [path for path in routes(get_resolver("tests.urls_with_admin")) if path.startswith("/admin/")]
    asked = list(plain_requests("/admin/login/", ["username", "password", "next", "csrfmiddlewaretoken"]))
    for odd in ODD_STRINGS[:12]:
        form = urlencode(
            {"username": odd.encode("utf-8", "surrogatepass"), "password": odd.encode("utf-8", "surrogatepass")}
        )
        headers = (("Cookie", f"csrftoken={CSRF}"), ("Content-Type", "application/x-www-form-urlencoded"))
        asked.append(Request("POST", "/admin/login/", f"{form}&csrfmiddlewaretoken={CSRF}".encode(), headers))
    asked += [Request("GET", path) for path in paths(admin, "1")]
    check(deployments, lambda server: asked)
