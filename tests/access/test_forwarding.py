"""Whom a server believes about the client behind a proxy: those that TRUSTED_PROXIES names, and nobody else."""

import json
from collections.abc import Iterator
from itertools import product

import pytest

from tests.support.server import RunningServer

pytestmark = pytest.mark.faults

SERVERS = ["daphne", "uvicorn"]
TRUSTED = {"127.0.0.0/8": True, "10.0.0.1": False}
"""Whether we, who come from loopback, are such a proxy."""


@pytest.fixture(scope="module", params=product(SERVERS, TRUSTED))
def asked(request: pytest.FixtureRequest) -> Iterator[tuple[RunningServer, bool]]:
    """A server that lets an address have one token, and whether it trusts us."""
    kind, trusted = request.param
    with RunningServer(server=kind, TRUSTED_PROXIES=trusted, TOKEN_RATE=0.001, TOKEN_BURST=1) as server:
        yield server, TRUSTED[trusted]


def guest_code(server: RunningServer) -> str:
    [(code,)] = server.select("SELECT code FROM rooms_roomcode WHERE role = 'guest'")
    return str(code)


def test_links_have_the_scheme_that_a_trusted_proxy_tells(asked: tuple[RunningServer, bool]):
    server, is_trusted = asked
    code = guest_code(server)
    page = server.request("GET", f"/r/{code}/", X_Forwarded_Proto="https").body.decode()
    assert f"{'https' if is_trusted else 'http'}://127.0.0.1:{server.port}/r/{code}/" in page


def test_clients_have_the_address_that_a_trusted_proxy_tells(asked: tuple[RunningServer, bool]):
    server, is_trusted = asked
    body = json.dumps({"code": "abc"})
    first = server.request("POST", "/v2/token", body, X_Forwarded_For="203.0.113.1")
    second = server.request("POST", "/v2/token", body, X_Forwarded_For="203.0.113.2")
    assert (first.status, second.status) == (404, 404 if is_trusted else 429)
    assert ("Retry-After" in second.headers) == (not is_trusted)


@pytest.mark.parametrize("kind", SERVERS)
def test_with_the_redirect_to_https_only_the_probes_are_answered_in_the_open(kind):
    with RunningServer(server=kind, TRUSTED_PROXIES="127.0.0.1", SECURE_SSL_REDIRECT=1) as server:
        plain = server.request("GET", "/")
        secure = server.request("GET", "/", X_Forwarded_Proto="https")
        assert (plain.status, plain.headers["Location"]) == (301, f"https://127.0.0.1:{server.port}/")
        assert secure.status == 200
        assert [server.request("GET", path).status for path in ("/healthz", "/readyz")] == [200] * 2
