"""One try: the name is resolved, the address that is found is checked, and that very address is connected to."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import NamedTuple, Self

import httpx

from rooms.access.addresses import Network
from rooms.webhooks import guard, signing
from rooms.webhooks.guard import Refused, Target
from rooms.webhooks.resolving import resolve

MAX_ANSWER_BYTES = 16 * 1024
"""Of an answer no more is read: nothing but its status counts."""

CONNECT_SECONDS = 5.0

READ_SECONDS = 1.0
"""For the rest of an answer, once its status is there."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class Sent(NamedTuple):
    """What came of a try: the status of the answer, 0 if there was none, and what was wrong."""

    status: int
    error: str = ""

    @property
    def taken(self) -> bool:
        return not self.error and 200 <= self.status < 300


class Rules(NamedTuple):
    """What holds for every endpoint. ``seconds`` are for a whole try."""

    seconds: float
    allow_http: bool
    networks: Sequence[Network]


@cache
def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # takes long to make


class Sender:
    """Sends to one endpoint; connections are kept until its end. For ``async with``."""

    def __init__(
        self, url: str, headers: Mapping[str, str], secrets: Sequence[str], rules: Rules, resolve: Resolve = resolve
    ) -> None:
        self._url, self._headers, self._secrets = url, headers, secrets
        self._rules, self._resolve = rules, resolve
        # No proxy of the environment, which would resolve the name anew; no redirect to where nobody checked.
        self._client = httpx.AsyncClient(
            verify=_trust(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(rules.seconds, connect=min(rules.seconds, CONNECT_SECONDS)),
            limits=httpx.Limits(max_connections=1, keepalive_expiry=5),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def send(self, event_id: str, body: str) -> Sent:
        """Try once. Raises nothing."""
        try:
            async with asyncio.timeout(self._rules.seconds):
                answer = await self._answer(event_id, body.encode())
        except Refused as refused:
            return Sent(0, f"refused: {refused}")
        except (TimeoutError, httpx.TimeoutException):
            return Sent(0, f"no answer within {self._rules.seconds:g} s")
        except socket.gaierror:
            return Sent(0, "the name cannot be resolved")
        except Exception as error:
            # Whatever it is, the event has its next try, and is given up in the end.
            return Sent(0, f"{type(error).__name__}: {error}")
        # What becomes of the rest changes nothing: whoever said that it took the event is not sent it again.
        with suppress(Exception):
            await _read(answer)
        return Sent(answer.status_code, "" if 200 <= answer.status_code < 300 else f"answered {answer.status_code}")

    async def _answer(self, event_id: str, body: bytes) -> httpx.Response:
        """The beginning of an answer."""
        target = guard.target_of(self._url, allow_http=self._rules.allow_http)
        addresses = guard.reachable(await self._resolve(target.host, target.port), self._rules.networks)
        signed = signing.headers(self._secrets, event_id, int(time.time()), body)
        for address in addresses:
            request = self._request(target, str(address), signed, body)
            try:
                return await self._client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                # Only where nothing was sent: the next address may be another receiver, which would get it twice.
                if address is addresses[-1]:
                    raise
        raise AssertionError("a name without addresses is refused")

    def _request(self, target: Target, address: str, signed: Mapping[str, str], body: bytes) -> httpx.Request:
        """To the address itself, so that nobody resolves the name again; for the other end it is to the name."""
        named = httpx.URL(self._url)
        headers = {
            **self._headers,
            "host": named.netloc.decode(),
            "content-type": "application/json",
            "user-agent": "hmsroom",
            "accept-encoding": "identity",
            **signed,
        }
        # With its certificate for the name, or for the address where the URL has one.
        extensions = {"sni_hostname": target.host}
        return self._client.build_request(
            "POST", named.copy_with(host=address), content=body, headers=headers, extensions=extensions
        )


async def _read(answer: httpx.Response) -> None:
    """Read a short answer to its end, so that the connection can be used again; nobody waits for a long one."""
    size = 0
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for part in answer.aiter_raw():
                size += len(part)
                if size > MAX_ANSWER_BYTES:
                    return
    finally:
        await answer.aclose()
