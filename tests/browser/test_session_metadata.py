"""Session metadata as the 100ms documentation tells it, from an app on another origin that runs on hms.js."""

import asyncio
import json

import pytest

from tests.support.proxy import Proxy

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

VALUES = [
    "any-data",
    "",
    "ünïcödé \U0001f600 \u2028 <b>",
    0,
    -1.5,
    1e21,
    True,
    False,
    None,
    [],
    [1, [2, [3, None]]],
    {},
    {"hello": "world"},
    {"z": 1, "a": {"y": 2, "b": ["x"]}, "10": 3, "constructor": {"prototype": "x"}, "": ""},
]

# Expressions for values that JSON cannot hold.
NOT_JSON = [
    "undefined",
    "() => 1",
    "10n",
    "Symbol('x')",
    "({ run() {} })",
    "[undefined]",
    "({ deep: [{ missing: undefined }] })",
    "(() => { const cycle = { list: [] }; cycle.list.push(cycle); return cycle; })()",
    "NaN",
    "new Map([[1, 2]])",
]


async def test_any_json_value_is_stored_as_it_is_and_seen_by_the_other(app_room):
    alice, bob = await app_room.meet("alice", "bob")
    for value in VALUES:
        await alice.run("(value) => app.setSessionMetadata(value)", value)
        expected = await alice.run("(value) => JSON.stringify(value)", value)
        assert await alice.value() == expected
        script = "(text) => JSON.stringify(app.hmsStore.getState(app.selectSessionMetadata)) === text"
        await bob.page.wait_for_function(script, arg=expected, polling=10)
    read = await bob.run("() => app.hmsActions.populateSessionMetadata().then(() => app.heard.changes.at(-1))")
    assert read == VALUES[-1]


@pytest.mark.parametrize("expression", NOT_JSON)
async def test_what_is_not_json_rejects_and_nothing_is_sent(app_room, expression):
    [alice] = await app_room.meet("alice")
    await alice.run("() => app.hmsActions.setSessionMetadata('before')")
    sent = len(alice.requests("set-metadata"))
    error = await alice.run(f"""() => app.hmsActions.setSessionMetadata({expression}).then(
        () => null, ({{ code, message }}) => [code, message])""")
    assert error
    assert error[0] == 400
    assert error[1].startswith("setSessionMetadata: value")
    assert "JSON" in error[1]
    assert await alice.value() == '"before"'
    assert len(alice.requests("set-metadata")) == sent


async def test_populate_fetches_into_the_store(app_room):
    alice, bob = await app_room.meet("alice", "bob")
    await alice.run("() => app.hmsActions.setSessionMetadata({ hello: 'world' })")
    before = len(bob.requests("get-metadata"))
    await bob.run("() => app.hmsActions.populateSessionMetadata()")
    assert await bob.value() == '{"hello":"world"}'
    assert len(bob.requests("get-metadata")) == before + 1


async def test_subscribers_are_called_only_when_the_value_changed(app_room):
    alice, bob = await app_room.meet("alice", "bob")
    for value in ({"a": [1]}, {"a": [1]}, {"a": [2]}):
        await alice.run("(value) => app.setSessionMetadata(value)", value)
        await alice.run("() => app.hmsActions.changeMetadata({ other: true })")
    await bob.page.wait_for_function("() => app.heard.refreshes === 3 && app.heard.populated === 4", polling=10)
    for app in (alice, bob):
        changes = (await app.heard())["changes"]
        assert [value for value in changes if value is not None] == [{"a": [1]}, {"a": [2]}]


async def test_the_documented_way_set_then_broadcast_then_populate(app_room):
    alice, bob = await app_room.meet("alice", "bob")
    await alice.run("() => app.setSessionMetadata('pinned')")
    await bob.page.wait_for_function("() => app.heard.refreshes === 1 && app.heard.populated === 2", polling=10)
    assert await bob.value() == '"pinned"'
    assert (await alice.heard())["refreshes"] == 0


async def test_without_any_broadcast_the_others_have_the_value(app_room):
    alice = await (await app_room.open("alice", app="none")).join()
    bob = await (await app_room.open("bob", app="none")).join("Bob")
    await alice.run("() => app.hmsActions.setSessionMetadata({ pushed: true })")
    await bob.has({"pushed": True})
    assert len(bob.requests("get-metadata")) <= 1  # what joining itself reads


async def test_a_late_joiner_has_the_value_as_soon_as_it_is_connected(app_room):
    [alice] = await app_room.meet("alice")
    await alice.run("() => app.hmsActions.setSessionMetadata('early')")
    bob = await app_room.open("bob", app="none")
    await bob.run("""() => {
      app.hmsStore.subscribe((isConnected) => {
        app.heard.atConnect = [isConnected, app.hmsStore.getState(app.selectSessionMetadata)];
      }, app.selectIsConnectedToRoom);
    }""")
    await bob.join("Bob")
    assert (await bob.heard())["atConnect"] == [True, "early"]


async def test_a_reconnecting_peer_has_what_it_missed(app_room, server):
    async with Proxy(server.port) as proxy:
        [alice] = await app_room.meet("alice")
        bob = await app_room.open("bob", app="none", server=f"http://127.0.0.1:{proxy.port}")
        await bob.join("Bob")
        proxy.block()
        state = "() => app.hmsStore.getState(app.selectRoomState)"
        await bob.page.wait_for_function(f"({state})() === 'Reconnecting'", polling=10)
        for value in ("one", "two", {"three": 3}):
            await alice.run("(value) => app.hmsActions.setSessionMetadata(value)", value)
        proxy.unblock()
        await bob.run("() => app.hmsActions.retryConnection()")
        await bob.has({"three": 3})
        assert await bob.run(state) == "Connected"
        await bob.run("() => app.hmsActions.leave()")


async def test_when_two_set_at_once_everybody_ends_with_the_same(app_room):
    alice, bob = await app_room.meet("alice", "bob")
    carol = await (await app_room.open("carol", app="none")).join("Carol")
    for round_ in range(10):
        script = "(value) => app.hmsActions.setSessionMetadata(value)"
        await asyncio.gather(alice.run(script, f"alice {round_}"), bob.run(script, f"bob {round_}"))
        version = "() => app.hmsStore.getState(app.selectSessionEntry('default'))?.change_version"
        for app in (alice, bob, carol):
            await app.page.wait_for_function(f"(wanted) => ({version})() === wanted", arg=2 * round_ + 2, polling=10)
        values = {await app.value() for app in (alice, bob, carol)}
        assert len(values) == 1
        assert values <= {f'"alice {round_}"', f'"bob {round_}"'}


async def test_i14_of_two_conditional_writes_one_wins_and_the_other_learns_of_it(app_room):
    alice, bob = await app_room.meet("alice", "bob")
    script = """([value, version]) => app.hmsActions.setSessionMetadata(value, { ifChangeVersion: version }).then(
        () => null, ({ code, data }) => ({ code, data }))"""
    for version in range(5):
        # Each time others: who writes the value that stands changes nothing, and is in nobody's way.
        values = [f"alice {version}", f"bob {version}"]
        answers = await asyncio.gather(alice.run(script, [values[0], version]), bob.run(script, [values[1], version]))
        [lost] = [answer for answer in answers if answer]
        winner = values[1] if answers[0] else values[0]
        assert lost["code"] == 409
        assert (lost["data"]["data"], lost["data"]["change_version"]) == (winner, version + 1)
        for app in (alice, bob):
            await app.has(winner)


async def test_a5_what_several_add_at_once_is_all_kept(app_room):
    apps = await app_room.meet("alice", "bob", "carol")
    add = """async (topic) => {
      for (;;) {
        const { data, change_version } = app.hmsStore.getState(app.selectSessionEntry("default"));
        try {
          return await app.hmsActions.setSessionMetadata([...(data ?? []), topic], { ifChangeVersion: change_version });
        } catch (error) {
          if (error.code !== 409) throw error;
        }
      }
    }"""
    topics = [f"topic {number}" for number in range(12)]
    await asyncio.gather(*(apps[number % 3].run(add, topic) for number, topic in enumerate(topics)))
    for app in apps:
        await app.page.wait_for_function(
            "() => app.hmsStore.getState(app.selectSessionMetadata).length === 12", polling=10
        )
        assert sorted(json.loads(await app.value())) == sorted(topics)


async def test_i04_all_is_gone_when_the_last_peer_leaves(app_room):
    alice, bob = await app_room.meet("alice", "bob")
    await alice.run("() => app.hmsActions.setSessionMetadata('x')")
    await bob.has("x")
    await alice.run("() => app.hmsActions.leave()")
    assert await bob.value() == '"x"'
    await bob.run("() => app.hmsActions.leave()")
    carol = await (await app_room.open("carol")).join("Carol")
    await carol.page.wait_for_function("() => app.heard.populated === 1", polling=10)
    assert await carol.value() in (None, "null")
    assert await carol.run("() => app.hmsStore.getState(app.selectSessionEntry('default')).change_version") == 0


async def test_i08_the_only_peer_may_reload_its_page(app_room):
    [alice] = await app_room.meet("alice")
    await alice.run("() => app.setSessionMetadata('kept')")
    identity = "() => [app.hmsStore.getState(app.selectLocalPeerID), app.hmsStore.getState(app.selectSessionId)]"
    before = await alice.run(identity)
    await alice.page.reload()
    await alice.page.wait_for_function("() => globalThis.app")
    await alice.join()
    assert await alice.value() == '"kept"'
    assert await alice.run(identity) == before


async def test_peer_metadata_is_each_peers_own_and_goes_with_it(app_room):
    alice, bob = await app_room.meet("alice", "bob")
    ids = [await app.run("() => app.hmsStore.getState(app.selectLocalPeerID)") for app in (alice, bob)]
    await alice.run("() => app.hmsActions.changeMetadata({ mood: 'calm', n: [1] })")
    await bob.run("() => app.hmsActions.changeMetadata({ mood: 'bright' })")
    read = "(id) => app.hmsStore.getState(app.selectPeerMetadata(id))"
    wait = "([id, mood]) => app.hmsStore.getState(app.selectPeerMetadata(id)).mood === mood"
    for app in (alice, bob):
        await app.page.wait_for_function(wait, arg=[ids[0], "calm"], polling=10)
        await app.page.wait_for_function(wait, arg=[ids[1], "bright"], polling=10)
    assert await bob.run(read, ids[0]) == {"mood": "calm", "n": [1]}

    carol = await (await app_room.open("carol")).join("Carol")
    assert await carol.run(read, ids[1]) == {"mood": "bright"}
    await bob.run("() => app.hmsActions.leave()")
    await alice.page.wait_for_function("(id) => !app.hmsStore.getState(app.selectPeerByID(id))", arg=ids[1], polling=10)
    assert await alice.run(read, ids[1]) == {}
