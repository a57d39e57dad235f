"""The OpenAPI file says all that there is to know, and docs/rest.md names every call."""

import re
from typing import Any

import pytest

from rooms.api.rest import rest
from tests.support.server import ROOT

SCHEMA: dict[str, Any] = rest.get_openapi_schema(path_prefix="/v2")
CALLS = [
    (f"{method.upper()} /v2{path.removeprefix('/v2')}", call)
    for path, methods in SCHEMA["paths"].items()
    for method, call in methods.items()
]


def test_every_call_is_in_the_documentation_under_the_heading_of_its_resource_and_no_other():
    sections = re.split(r"^## (.+)\n", (ROOT / "docs/rest.md").read_text(), flags=re.MULTILINE)
    documented = {
        (heading, call)
        for heading, text in zip(sections[1::2], sections[2::2], strict=True)
        for call in re.findall(r"^\| `([A-Z]+ /v2/[^`]+)` \|", text, re.MULTILINE)
    }
    assert documented == {(call["tags"][0], name) for name, call in CALLS}


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[name for name, _ in CALLS])
def test_every_call_says_what_it_does_and_how_it_is_refused(name: str, call: dict[str, Any]):
    assert call["summary"] and call["description"].endswith(".")
    assert {"400", "401", "405", "408", "413", "414", "429", "431", "500", "503"} <= {
        str(code) for code in call["responses"]
    }
    for status, answer in call["responses"].items():
        if status in (204, 304):
            continue
        assert "schema" in answer["content"]["application/json"], status
    for parameter in call.get("parameters", []):
        assert parameter.get("description") or parameter["schema"].get("description"), parameter["name"]
        assert parameter["in"] != "path" or parameter["example"]


def test_every_field_has_a_description_and_an_example():
    assert [
        f"{name}.{field}"
        for name, schema in SCHEMA["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if not (_says("description", described) and _says("examples", described))
    ] == []


def test_what_may_be_left_out_of_a_body_may_be_null_but_for_what_narrows_it():
    def takes_null(schema: str, field: str) -> bool:
        described = SCHEMA["components"]["schemas"][schema]["properties"][field]
        return {"type": "null"} in described.get("anyOf", [])

    assert all(takes_null("PollBody", field) for field in ("start", "questions", "title"))
    assert takes_null("MessageBody", "type") and takes_null("ReplayBody", "limit")
    assert not any(takes_null("MessageBody", field) for field in ("peer_id", "peerId", "role", "message"))
    assert not takes_null("PollAnswered", "start")


def _says(what: str, described: dict[str, Any]) -> bool:
    """Whether a field says something, of itself or of what it holds; an object does so field by field."""
    within = [*described.get("anyOf", []), described.get("items", {}), described.get("additionalProperties", {})]
    return (
        what in described or "$ref" in described or any(_says(what, one) for one in within if one and one is not True)
    )
