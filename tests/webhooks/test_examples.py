"""Each example of docs/webhooks.md, as it stands there."""

import io
import json
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from rooms.creation.rooms import create_room
from rooms.models import WebhookDelivery, WebhookEndpoint
from rooms.webhooks import endpoints, signing
from tests.operations.driver import do, visitor
from tests.support.receiver import headers_of
from tests.support.server import ROOT

EXAMPLES: list[tuple[str, str]] = re.findall(
    r"^```(\w*)\n(.*?)^```", (ROOT / "docs/webhooks.md").read_text(), re.DOTALL | re.MULTILINE
)
BODY = '{"id":"8be8ee61","data":{"user_name":"Zoë ☕"}}'.encode()

Check = Callable[[str, Mapping[str, str], bytes], bool]


def example(language: str) -> str:
    [text] = [text for name, text in EXAMPLES if name == language]
    return text


def test_there_is_no_other_example_than_these():
    assert [language for language, _ in EXAMPLES] == ["", "json", "python", "js"]


def test_the_command_adds_an_endpoint_and_prints_its_id_and_secret(db):
    [command] = example("").splitlines()
    python, manage, *arguments = shlex.split(command)
    out = io.StringIO()

    call_command(*arguments, stdout=out)

    made = WebhookEndpoint.objects.get()
    assert (python, manage) == ("python", "manage.py")
    assert out.getvalue().split() == [made.pk, *endpoints.secrets_of(made)]
    assert headers_of(made) == {"X-Secret": "s3cret"}


def test_an_event_has_the_fields_of_the_example(db):
    endpoints.add("https://back.example.org/hook")
    do(visitor(create_room(name="standup"), "Alice", "host"), "join", name="Alice")

    sent = json.loads(WebhookDelivery.objects.get(name="peer.join.success").body)

    shown = json.loads(example("json"))
    assert set(sent) == set(shown) and set(sent["data"]) == set(shown["data"])
    assert {type(value) for value in sent.values()} == {type(value) for value in shown.values()}
    assert (sent["version"], sent["type"]) == (shown["version"], shown["type"])


def in_python(_: Path) -> Check:
    names: dict[str, Any] = {}
    exec(example("python"), names)
    check: Check = names["is_genuine"]
    return check


def in_node(folder: Path) -> Check:
    (folder / "check.mjs").write_text(example("js"))
    (folder / "run.mjs").write_text(
        'import { isGenuine } from "./check.mjs";\n'
        'import { readFileSync } from "node:fs";\n'
        "const [secret, headers] = JSON.parse(process.argv[2]);\n"
        'console.log(isGenuine(secret, headers, readFileSync(0, "utf8")));\n'
    )

    def check(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
        given = json.dumps([secret, dict(headers)])
        ran = subprocess.run(["node", folder / "run.mjs", given], input=body, capture_output=True, check=True)
        return {"true": True, "false": False}[ran.stdout.decode().strip()]

    return check


@pytest.mark.parametrize("written_in", [in_python, in_node])
def test_the_check_of_a_signature_takes_what_is_genuine_and_fresh_alone(written_in, tmp_path):
    is_genuine, now = written_in(tmp_path), int(time.time())
    old, new = signing.new_secret(), signing.new_secret()
    headers = signing.headers([new, old], "8be8ee61", now, BODY)

    assert is_genuine(new, headers, BODY)
    assert is_genuine(old, headers, BODY)  # while it is replaced
    assert not is_genuine(signing.new_secret(), headers, BODY)
    assert not is_genuine(new, headers, BODY.replace(b"8be8ee61", b"8be8ee62"))
    assert not is_genuine(new, headers | {"webhook-id": "another"}, BODY)
    assert not is_genuine(new, headers | {"webhook-timestamp": str(now + 1)}, BODY)
    assert not is_genuine(new, headers | {"webhook-signature": "v1,short"}, BODY)
    assert not is_genuine(new, signing.headers([new], "8be8ee61", now - 400, BODY), BODY)
