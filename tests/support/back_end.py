"""A back end beside a real server, which asks its REST API."""

import time
from typing import Any

import httpx
import jwt

from tests.support.processes import PATIENCE
from tests.support.server import ACCESS_KEY, APP_SECRET, RunningServer


def management_token() -> str:
    now = int(time.time())
    claims = {"access_key": ACCESS_KEY, "type": "management", "version": 2, "iat": now, "nbf": now, "exp": now + 3600}
    return jwt.encode(claims, APP_SECRET, algorithm="HS256")


def back_end(server: RunningServer) -> httpx.AsyncClient:
    """Asks under ``/v2``."""
    headers: dict[str, Any] = {"Authorization": f"Bearer {management_token()}"}
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}/v2/", headers=headers, timeout=PATIENCE)
