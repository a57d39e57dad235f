"""The deployment that is documented: two processes behind nginx, on PostgreSQL and Redis."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.processes import WebProgram, free_port, is_serving
from tests.support.server import ACCESS_KEY, APP_SECRET, ROOT, RawPeer, RunningServer
from tests.support.services import NginxServer, PostgresServer, RedisServer
from tests.test_docs import documented


def compose() -> Any:
    return yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())


class TwoProcesses(WebProgram):
    """`deploy/two-processes`; ready when both answer."""

    def __init__(self, **settings: str) -> None:
        super().__init__()
        self.other = free_port()
        self.settings = settings

    def command(self) -> list[str]:
        return [str(ROOT / "deploy/two-processes"), str(self.port), str(self.other)]

    def environment(self) -> dict[str, str]:
        return super().environment() | self.settings

    def is_ready(self) -> bool:
        return is_serving(self.port) and is_serving(self.other)


def sockets_of(process: RunningServer) -> float:
    metrics = process.request("GET", "/metrics", Authorization="Bearer metrics-token").body.decode()
    [count] = re.findall(r"^hmsroom_sockets ([\d.]+)$", metrics, re.MULTILINE)
    return float(count)


def process_on(port: int) -> int:
    """The process id of the server on a port."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"--port {port}" in path.read_text().replace("\0", " "):
                return int(path.parent.name)
        except OSError:
            pass  # it has just ended
    raise AssertionError(f"no server on port {port}")


@pytest.fixture(scope="module")
def deployment() -> Iterator[tuple[NginxServer, list[RunningServer]]]:
    """nginx with the configuration of the deployment, before two processes."""
    with ExitStack() as stack:
        database = stack.enter_context(PostgresServer()).create_database()
        redis = stack.enter_context(RedisServer())
        processes = [
            stack.enter_context(
                RunningServer(
                    server="uvicorn",
                    database_url=database,
                    redis_url=redis.url,
                    HMSROOM_DEV=0,
                    ALLOWED_HOSTS="127.0.0.1",
                    TRUSTED_PROXIES="127.0.0.1",
                    METRICS_TOKEN="metrics-token",
                    DRAIN_SECONDS=0.5,
                )
            )
            for _ in range(2)
        ]
        configuration = (ROOT / "deploy/nginx.conf").read_text()
        for number, process in enumerate(processes, 1):
            configuration = configuration.replace(f"app{number}:8000", f"127.0.0.1:{process.port}")
        nginx = NginxServer(configuration.replace("listen 80", "listen 127.0.0.1:PORT"))
        yield stack.enter_context(nginx), processes


def test_the_compose_file_sets_known_settings_only():
    services = compose()["services"]

    assert set(services) == {"app1", "app2", "nginx", "postgres", "redis"}
    assert set(services["app1"]["environment"]) <= documented("configuration.md")
    assert "app1:8000" in (ROOT / "deploy/nginx.conf").read_text()


def test_the_compose_file_trusts_its_proxy_and_no_other():
    services = compose()["services"]

    address = services["nginx"]["networks"]["rooms"]["ipv4_address"]
    assert services["app1"]["environment"]["TRUSTED_PROXIES"] == address


@pytest.mark.faults
async def test_peers_of_both_processes_meet_behind_nginx(deployment):
    nginx, processes = deployment
    room = processes[0].room("lobby")
    socket_url = nginx.url.replace("http", "ws") + "/v2/ws"

    peers = [RawPeer(socket_url, processes[0].sign(room, user=f"user-{n}")) for n in range(6)]
    for n, peer in enumerate(peers):
        await peer.connect()
        await peer.join(f"Peer {n}")
    await peers[0].call("broadcast", info={"message": "hello", "type": "chat"})

    for peer in peers[1:]:
        message = await peer.wait_for("on-broadcast")
        assert message["params"]["info"]["message"] == "hello"
    assert [sockets_of(process) for process in processes] == [3, 3]
    for peer in peers:
        await peer.leave()


@pytest.mark.faults
async def test_a_token_never_stands_in_the_proxys_log(deployment):
    nginx, processes = deployment
    token = processes[0].sign(processes[0].room("quiet"))

    async with RawPeer(nginx.url.replace("http", "ws") + "/v2/ws", token) as peer:
        await peer.join()
        await peer.leave()

    assert "/v2/ws" in nginx.log()
    assert token not in nginx.log() + "".join(process.log() for process in processes)


@pytest.mark.faults
def test_metrics_are_not_to_be_had_through_the_proxy(deployment):
    nginx, _ = deployment
    assert nginx.request("GET", "/metrics").status == 403
    assert nginx.request("GET", "/healthz").status == 200


@pytest.mark.faults
async def test_peers_of_a_draining_process_go_to_the_other(deployment):
    nginx, processes = deployment
    room = processes[1].room("moving")
    watcher = await processes[1].peer(processes[1].sign(room, user="watcher"), "Watcher")
    movers = [RawPeer(processes[0].ws_url, processes[0].sign(room, user=f"mover-{n}")) for n in range(4)]
    for peer in movers:
        await peer.connect()
        await peer.join()

    processes[0].signal(signal.SIGUSR1)
    for peer in movers:
        assert await peer.wait_closed() == 1012
        peer.ws_url = nginx.url.replace("http", "ws") + "/v2/ws"
        await peer.connect()
        await peer.join()

    assert sockets_of(processes[1]) == 5
    assert watcher.named("on-peer-leave") == []
    for peer in [watcher, *movers]:
        await peer.leave()
    processes[0].restart()


@pytest.mark.faults
def test_two_processes_end_together():
    with PostgresServer() as postgres, RedisServer() as redis:
        settings = {"SECRET_KEY": APP_SECRET, "ACCESS_KEY": ACCESS_KEY, "APP_SECRET": APP_SECRET}
        stores = {"DATABASE_URL": postgres.create_database(), "REDIS_URL": redis.url}
        with TwoProcesses(**settings, **stores) as both:
            os.kill(process_on(both.other), signal.SIGKILL)

            assert both.wait() == 1
            assert not is_serving(both.port)

            both.start()
            both.terminate()
            assert not is_serving(both.port)
            assert not is_serving(both.other)
