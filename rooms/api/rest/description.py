"""What the OpenAPI file says beside what views declare: headers of answers, and what addresses name."""

from collections.abc import Mapping
from typing import Any

HEADERS: Mapping[str, tuple[str, Any]] = {
    "ETag": ("The version of what is answered, and the session that it is of", '"12-66f1a1b2c3d4e5f601234567"'),
    "RateLimit-Policy": ("How many calls the access key has, and in how many seconds", '"key";q=500;w=10'),
    "RateLimit": ("How many of them are left, and in how many seconds all are again", '"key";r=499;t=1'),
    "Retry-After": ("Seconds to wait", 3),
    "WWW-Authenticate": ("What is asked for", "Bearer"),
    "Allow": ("The methods that the resource has", "GET, POST"),
}
"""What each says, and an example."""

_OF_A_STATUS = {"401": "WWW-Authenticate", "405": "Allow", "429": "Retry-After"}

_IN_PATHS: Mapping[str, tuple[str, Any]] = {
    "room_id": ("Id of the room, 24 hex digits", "66f0a1b2c3d4e5f601234567"),
    "peer_id": ("Id of the peer, URL-encoded", "3f1cdb2e-5b0a-4c7e-9a39-2f1f0a8a7d11"),
    "key": ("The key, any characters, URL-encoded once", "slide"),
    "name": ("Name of the lock, URL-encoded once", "deck"),
    "session_id": ("Id of the session, 24 hex digits", "66f1a1b2c3d4e5f601234567"),
    "template_id": ("Id of the template, 24 hex digits", "66efa1b2c3d4e5f601234567"),
    "role": ("Name of the role, URL-encoded", "host"),
    "poll_id": ("Id of the poll", "655bffeecd34739a72637305"),
    "question_id": ("Place of the question, from 1", 1),
    "option_id": ("Place of the option, from 1", 1),
    "response_id": ("Id of the response", "4711"),
    "result_id": ("Id of the result", "4711"),
    "workflow_id": ("Id of the replay, 24 hex digits", "66f2a1b2c3d4e5f601234567"),
}


def complete(schema: dict[str, Any]) -> None:
    """Add it to the file."""
    schema["components"]["headers"] = {name: _header(name) for name in HEADERS}
    for methods in schema["paths"].values():
        for call in methods.values():
            parameters = call.get("parameters", [])
            for parameter in parameters:
                if parameter["in"] == "path":
                    parameter["description"], parameter["example"] = _IN_PATHS[parameter["name"]]
            is_tagged = any(parameter["name"] == "If-None-Match" for parameter in parameters)
            for status, answer in call["responses"].items():
                answer["headers"] = {
                    name: {"$ref": f"#/components/headers/{name}"} for name in _headers(str(status), is_tagged)
                }


def _header(name: str) -> dict[str, Any]:
    says, example = HEADERS[name]
    kind = "integer" if isinstance(example, int) else "string"
    # Rates are told where there are any, and to who brings a good token.
    is_certain = not name.startswith("RateLimit")
    return {"description": says, "required": is_certain, "schema": {"type": kind}, "example": example}


def _headers(status: str, is_tagged: bool) -> list[str]:
    of_status = [_OF_A_STATUS[status]] if status in _OF_A_STATUS else []
    tag = ["ETag"] if is_tagged and status in ("200", "304") else []
    return [*of_status, *tag, "RateLimit-Policy", "RateLimit"]
