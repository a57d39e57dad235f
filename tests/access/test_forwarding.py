"""Whom a server believes about the client behind a proxy: those that TRUSTED_PROXIES names, and nobody else."""

import json

import pytest

from tests.support.server import RunningServer

pytestmark = pytest.mark.faults

SERVERS = ["daphne", "uvicorn"]


def guest_code(server: RunningServer) -> str:
    codes = "from rooms.creation.rooms import create_room; print(create_room().codes.get(role='guest').code)"
    return server.manage("shell", "--no-imports", "-c", codes)


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize(("trusted", "scheme"), [("127.0.0.0/8", "https"), ("10.0.0.1", "http")])
def test_links_have_the_scheme_that_a_trusted_proxy_tells(kind, trusted, scheme):
    with RunningServer(server=kind, TRUSTED_PROXIES=trusted) as server:
        code = guest_code(server)
        page = server.request("GET", f"/r/{code}/", X_Forwarded_Proto="https").body.decode()
        assert f"{scheme}://127.0.0.1:{server.port}/r/{code}/" in page


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize(("trusted", "status"), [("127.0.0.1", 404), ("10.0.0.1", 429)])
def test_clients_have_the_address_that_a_trusted_proxy_tells(kind, trusted, status):
    with RunningServer(server=kind, TRUSTED_PROXIES=trusted, TOKEN_RATE=0.001, TOKEN_BURST=1) as server:
        asked = json.dumps({"code": "abc"})
        first = server.request("POST", "/v2/token", asked, X_Forwarded_For="203.0.113.1")
        second = server.request("POST", "/v2/token", asked, X_Forwarded_For="203.0.113.2")
        assert (first.status, second.status) == (404, status)
        assert ("Retry-After" in second.headers) == (status == 429)


@pytest.mark.parametrize("kind", SERVERS)
def test_with_the_redirect_to_https_only_the_probes_are_answered_in_the_open(kind):
    with RunningServer(server=kind, TRUSTED_PROXIES="127.0.0.1", SECURE_SSL_REDIRECT=1) as server:
        plain = server.request("GET", "/")
        secure = server.request("GET", "/", X_Forwarded_Proto="https")
        assert (plain.status, plain.headers["Location"]) == (301, f"https://127.0.0.1:{server.port}/")
        assert secure.status == 200
        assert [server.request("GET", path).status for path in ("/healthz", "/readyz")] == [200] * 2
