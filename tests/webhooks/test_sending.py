"""A try ends in time and costs little, whatever the other end does; its signature is that of Standard Webhooks."""

import asyncio
import base64
import hashlib
import hmac
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest

from rooms.webhooks import retries, sending, signing
from rooms.webhooks.sending import Rules, Sender
from tests.support.processes import PATIENCE
from tests.support.receiver import Receiver

RULES = Rules(PATIENCE, True, [ip_network("127.0.0.0/8")])
HURRIED = RULES._replace(seconds=0.5)


async def send(url: str, body: str = "{}", rules: Rules = RULES, **options) -> sending.Sent:
    async with Sender(url, {"X-Own": "1"}, [signing.new_secret()], rules, **options) as sender:
        return await sender.send("id", body)


@asynccontextmanager
async def serving(answer, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server whose every connection is given to ``answer``; its port."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_success_is_taken(receiver: Receiver, status):
    receiver.answer = lambda got: status
    assert (await send(receiver.url)).taken


@pytest.mark.parametrize("status", [300, 304, 400, 401, 404, 410, 429, 500, 503])
async def test_anything_else_is_not(receiver: Receiver, status):
    receiver.answer = lambda got: status
    sent = await send(receiver.url)
    assert (sent.status, sent.error, sent.taken) == (status, f"answered {status}", False)


async def test_one_that_does_not_answer_is_left_in_time():
    async def hang(reader, writer):
        await reader.read()
        writer.close()

    async with serving(hang) as port:
        assert await send(f"http://127.0.0.1:{port}/", rules=HURRIED) == (0, "no answer within 0.5 s")


async def test_one_that_answers_drop_by_drop_is_left_in_time():
    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        try:
            for letter in "HTTP/1.1 200 OK\r\n" + "x" * 1000:
                writer.write(letter.encode())
                await writer.drain()
                await asyncio.sleep(0.1)
        except OSError:
            pass
        writer.close()

    async with serving(drip) as port:
        assert await send(f"http://127.0.0.1:{port}/", rules=HURRIED) == (0, "no answer within 0.5 s")


async def test_of_a_long_answer_no_more_than_the_beginning_is_read():
    written = 0

    async def flood(reader, writer):
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        try:
            while written < 100_000_000:
                writer.write(b"x" * 65536)
                await writer.drain()
                written += 65536
        except OSError:
            pass
        writer.close()

    async with serving(flood) as port:
        assert (await send(f"http://127.0.0.1:{port}/")).taken
    assert written < 50_000_000


@pytest.mark.parametrize(
    "answer", [b"", b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 999999 X\r\n\r\n", b"HTTP/1.1 200 OK\r\n"]
)
async def test_an_answer_that_is_none_is_a_failure(answer):
    async def say(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with serving(say) as port:
        sent = await send(f"http://127.0.0.1:{port}/")
    assert sent.error and not sent.taken


@pytest.mark.parametrize("rest", [b"content-length: 5\r\n\r\nok", b"transfer-encoding: chunked\r\n\r\n!"])
@pytest.mark.parametrize("hangs", [True, False])
async def test_of_an_answer_nothing_but_its_status_counts(rest, hangs):
    async def begin(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + rest)
        if hangs:
            await reader.read()
        writer.close()

    async with serving(begin) as port:
        assert await send(f"http://127.0.0.1:{port}/") == (200, "")


async def test_one_that_is_not_there_is_a_failure():
    async with serving(lambda *_: None) as port:
        pass
    sent = await send(f"http://127.0.0.1:{port}/")
    assert sent.error and sent.status == 0


async def test_a_name_that_nobody_has_is_a_failure():
    sent = await send("http://nobody.invalid/", rules=Rules(5, True, []))
    assert (sent.status, bool(sent.error)) == (0, True)


# --- TLS ----------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of hooks.example, signed by itself; with its key in one file."""
    file = tmp_path / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", tmp_path / "key", "-out", tmp_path / "crt", "-days", "2", "-subj", "/CN=hooks.example",
         "-addext", "subjectAltName=DNS:hooks.example"],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_text((tmp_path / "key").read_text() + (tmp_path / "crt").read_text())
    return file


async def at_loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


@pytest.mark.parametrize(("name", "taken"), [("hooks.example", True), ("other.example", False)])
async def test_the_certificate_is_asked_for_the_name_though_the_address_is_connected_to(
    certificate: Path, monkeypatch, name, taken
):
    trust = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(sending, "_trust", lambda: trust)
    heard: list[str] = []
    named: list[str | None] = []

    async def take(reader, writer):
        heard.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda connection, server_name, context: named.append(server_name)
    async with serving(take, context) as port:
        sent = await send(f"https://{name}:{port}/", resolve=at_loopback)

    assert sent.taken is taken
    assert named == [name]
    if taken:
        assert f"host: {name}:{port}\r\n" in heard[0]
    else:
        assert heard == [] and "certificate" in sent.error.lower()


# --- Signatures ---------------------------------------------------------------------------------


def test_the_signature_is_that_of_standard_webhooks():
    # The example of https://github.com/standard-webhooks/standard-webhooks
    secret, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1614265330
    body = b'{"test": 2432232314}'
    signed = signing.headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
    assert signed == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_replaced_each_signs():
    old, new = signing.new_secret(), signing.new_secret()
    signed = signing.headers([new, old], "id", 5, b"{}")["webhook-signature"].split(" ")
    for secret, signature in zip([new, old], signed, strict=True):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        assert signature == "v1," + base64.b64encode(hmac.new(key, b"id.5.{}", hashlib.sha256).digest()).decode()


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%", "whsec_é"]
)
def test_a_secret_of_another_form_is_refused(secret):
    with pytest.raises(ValueError):
        signing.key_of(secret)


# --- Retries ------------------------------------------------------------------------------------


def test_it_is_tried_again_as_with_the_service_then_ever_later_for_a_day():
    waits: list[float] = []
    age = 0.0
    while (wait := retries.wait(len(waits) + 1, age)) is not None:
        waits.append(wait)
        age += wait
    assert waits[:8] == [1, 3, 10, 20, 40, 80, 160, 320]
    assert max(waits) == 600 and waits == sorted(waits)
    assert retries.DAY <= age < retries.DAY + 600


def test_many_tries_are_no_large_numbers():
    assert retries.wait(10_000, 0) == 600
