"""What expires is told soon, however seldom a process looks for peers that stay away."""

from tests.support.processes import PATIENCE
from tests.support.server import RunningServer


async def test_an_entry_ends_although_nobody_does_anything():
    with RunningServer(REAPER_INTERVAL=600) as server:
        peer = await server.peer(server.sign(server.room("tea")))
        await peer.call("listen-metadata-change", keys=["offer"])
        await peer.call("set-metadata", key="offer", data="tea", expires_in=1)
        await peer.until(lambda: len(peer.named("on-metadata-change")) == 2)
        [said, ended] = [values["values"][0] for values in peer.named("on-metadata-change")]
        assert (ended["data"], ended["change_version"]) == (None, 2)
        assert ended["updated_at"] - said["expires_at"] < 1000 * PATIENCE
        await peer.close()
