"""The page "Coming from 100ms": each of its steps as it stands, one after the other, against a server."""

import asyncio
import functools
import http.server
import json
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.browser import running_browser
from tests.support.receiver import Receiver
from tests.support.server import ROOT, RunningServer

PAGE = (ROOT / "docs/from-100ms.md").read_text()
HERE, THERE = "https://rooms.example.org", "https://back.example.org/hook"

EXPORT: dict[str, Any] = {
    "id": "6324661c4da877930beaecaa", "_id": "6324661c4da877930beaecaa", "name": "of the service",
    "customerId": "627cda54ff688c037a39291b", "appId": "627cda54ff688c037a39291c",
    "roles": {
        name: {
            "name": name, "priority": 1, "maxPeerCount": 0,
            "publishParams": {
                "allowed": ["audio", "video"], "audio": {"bitRate": 32, "codec": "opus"},
                "video": {"bitRate": 300, "codec": "vp8", "frameRate": 30, "width": 480, "height": 360},
                "simulcast": {"video": {"layers": [{"rid": "f", "scaleResolutionDownBy": 1}]}, "screen": {}},
                "videoSimulcastLayers": {}, "screenSimulcastLayers": None,
            },
            "subscribeParams": {
                "subscribeToRoles": ["host", "guest"], "maxSubsBitRate": 3200,
                "subscribeDegradation": {"packetLossThreshold": 25, "degradeGracePeriodSeconds": 1},
            },
            "permissions": {"endRoom": name == "host", "sendRoomState": False, "pollRead": True, "rtmpStreaming": True},
        }
        for name in ("host", "guest")
    },
    "settings": {
        "region": "in", "retry": {},
        "recording": {"enabled": True, "upload": {"type": "s3", "credentials": {"key": "k", "secretKey": "hidden"}}},
        "roomState": {"messageInterval": 5, "sendPeerList": False, "stopRoomStateOnJoin": True, "enabled": False},
    },
    "destinations": {"browserRecordings": {}, "hlsDestinations": {"hls": {"name": "hls", "maxDuration": 28800}}},
    "plugins": {"whiteboard": {"permissions": {"admin": ["host"], "writer": ["guest"], "reader": []}}},
    "createdAt": "2022-09-16T12:03:40.068Z", "updatedAt": "2022-09-16T12:03:40.068Z", "customer": "627cda54",
}  # fmt: skip
"""As the service's dashboard writes it."""


def blocks(language: str, heading: str) -> list[str]:
    """The blocks of code below a heading, in the order of the page."""
    text = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with RunningServer(WEBHOOK_ALLOWED_NETWORKS="127.0.0.1/32", POSITION_CHECK_INTERVAL=3600) as running:
        yield running


@pytest.fixture(scope="module")
def template(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the command says that loads the export."""
    file = tmp_path_factory.mktemp("export") / "lesson.json"
    file.write_text(json.dumps(EXPORT, indent=2))
    [command] = blocks("sh", "1. The template")
    loaded = manage(server, command.replace("lesson.json", str(file)))
    # More than a page of a list is long, all newer.
    make = "Template.objects.create(name=f'more-{n}', roles={'host': {}})"
    server.manage("shell", "--no-imports", "-c", f"from rooms.models import Template; [{make} for n in range(11)]")
    return loaded


@pytest.fixture(scope="module")
def keys(server: RunningServer) -> dict[str, str]:
    """What the second step prints."""
    command, *_ = blocks("sh", "2. The back end")
    return dict(line.split("=", 1) for line in manage(server, command).splitlines())


@pytest.fixture(scope="module")
def made(server: RunningServer, keys: dict[str, str], template: str) -> dict[str, Any]:
    """A room and a token, which the published server SDK got."""
    [code] = blocks("js", "2. The back end")
    for name in ("ACCESS_KEY", "APP_SECRET"):
        code = code.replace(name, json.dumps(keys[name]))
    # From the folder that has the package.
    command = ["node", "--input-type=module", "-e", code.replace(HERE, server.url)]
    done = subprocess.run(command, cwd=ROOT / "tests/server_sdk", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def manage(server: RunningServer, command: str) -> str:
    python, script, *arguments = shlex.split(command)
    assert (python, script) == ("python", "manage.py")
    return server.manage(*arguments)


def test_the_template_is_loaded_as_it_was_exported(template: str) -> None:
    assert template == "Template lesson: guest, host"


async def test_the_server_sdk_makes_a_room_of_that_template_and_a_token_for_it(
    server: RunningServer, made: dict[str, Any]
) -> None:
    assert (made["room"]["name"], made["room"]["template"]) == ("lesson-1", "lesson")
    alice = await server.peer(made["token"], "Alice")
    policy = (await alice.wait_for("on-policy-change"))["params"]
    assert policy["known_roles"]["host"]["permissions"]["endRoom"] is True
    assert policy["known_roles"]["guest"]["permissions"]["endRoom"] is False
    await alice.leave()


@pytest.mark.sdk
async def test_the_page_joins_with_the_published_sdk(
    server: RunningServer, made: dict[str, Any], tmp_path: Path
) -> None:
    [code] = blocks("js", "3. The page")
    code = code.replace(HERE, server.url).replace("TOKEN", json.dumps(made["token"]))
    bundle(code, tmp_path / "page.js")
    (tmp_path / "page.html").write_text(
        '<!doctype html><title>app</title><script type="module" src="page.js"></script>'
    )
    bob = await server.peer(server.sign(made["room"]["id"], "guest", user="bob"), "Bob")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        async with running_browser() as browser:
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{site.server_port}/page.html")
            joined = (await bob.wait_for("on-peer-join"))["params"]
        site.shutdown()
    assert (joined["info"]["name"], joined["role"]) == ("Alice", "host")
    await bob.leave()


def bundle(code: str, out: Path) -> None:
    """Make a page's script of a module, with the newest release of the SDK that the suite has."""
    options = {
        "stdin": {"contents": code, "resolveDir": "pages"},
        "alias": {"@100mslive/hms-video-store": "store-0.15.2"},
        "define": {"process.env.NODE_ENV": '"production"', "global": "window"},
        "outfile": str(out),
        "bundle": True,
        "format": "esm",
        "target": "esnext",
    }
    build = f"import {{ build }} from 'esbuild'; await build({json.dumps(options)});"
    subprocess.run(["node", "--input-type=module", "-e", build], cwd=ROOT / "tests/sdk", check=True)


async def test_the_webhook_s_address_is_told_who_comes(server: RunningServer, made: dict[str, Any]) -> None:
    [command] = blocks("sh", "4. Webhooks")
    with Receiver() as receiver:
        assert THERE in command
        await asyncio.to_thread(manage, server, command.replace(THERE, receiver.url))
        alice = await server.peer(made["token"], "Alice")
        taken = await asyncio.to_thread(receiver.wait_for, bool)
        await alice.leave()
    # The session may go on from an earlier step.
    assert taken[0].event["type"] in ("session.open.success", "peer.join.success")
    assert taken[0].event["data"]["room_id"] == made["room"]["id"]
    assert taken[0].headers["x-secret"] == "s3cret"


async def test_what_is_new_is_seen_in_the_room(server: RunningServer, made: dict[str, Any], slack: float) -> None:
    alice = await server.peer(made["token"], "Alice")
    await alice.call("listen-metadata-change", keys=["slide"])
    [command] = blocks("sh", "5. What you could not do before")
    method, url, header, body = re.findall(r'-X (\w+) (\S+) -H "([^"]+)" -d \'([^\']+)\'', command)[0]
    token = await asyncio.to_thread(server.manage, "management_token")
    url = url.replace(HERE, server.url).replace("$ROOM", made["room"]["id"])
    name, value = header.replace("$MANAGEMENT_TOKEN", token).split(": ")
    async with httpx.AsyncClient() as client:
        answer = await client.request(method, url, headers={name: value}, content=body)
    assert answer.status_code == 200, answer.text
    told = (await alice.wait_for("on-metadata-change", timeout=1 + slack))["params"]["values"]
    assert [(entry["key"], entry["data"]) for entry in told] == [("slide", 7)]
    await alice.leave()


def test_the_media_that_is_missing_is_not_found(server: RunningServer, made: dict[str, Any]) -> None:
    token = server.manage("management_token")
    for path in ("recordings", "external-streams", "live-streams", "recording-assets"):
        answer = httpx.get(f"{server.url}/v2/{path}", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 404
