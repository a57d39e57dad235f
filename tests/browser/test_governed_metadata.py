"""Session metadata in parts, in one call, in turns and under locks, from two pages that run on hms.js."""

import asyncio
from itertools import chain

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ENTRY = "(key) => app.hmsStore.getState(app.selectSessionEntry(key)) ?? null"
PEER = "() => app.hmsStore.getState(app.selectLocalPeerID)"


async def observers(app_room, *keys):
    """Two pages that observe these keys."""
    apps = await app_room.meet("alice", "bob")
    for app in apps:
        await app.run("(keys) => app.hmsActions.sessionStore.observe(keys)", list(keys))
    return apps


async def holds(app, key, value):
    """Wait until the page's store holds this value."""
    script = "([key, text]) => JSON.stringify(app.hmsStore.getState(app.selectSessionStore(key)) ?? null) === text"
    text = await app.run("(value) => JSON.stringify(value)", value)
    await app.page.wait_for_function(script, arg=[key, text], polling=10)


async def test_an_entry_is_gone_with_its_owner_and_when_its_time_is_over(app_room):
    alice, bob = await observers(app_room, "here", "short")
    written = await bob.run("() => app.hmsActions.sessionStore.set('here', 'bob', { owner: true, expiresIn: 600 })")
    peer = await bob.run(PEER)
    await holds(alice, "here", "bob")
    heard = await alice.run(ENTRY, "here")
    assert (heard["owner"], written["owner"]) == (peer, peer)
    left = "(key) => app.hmsStore.getState(app.selectSessionEntry(key)).expiresAt - app.hmsActions.serverNow()"
    assert 590_000 < await alice.run(left, "here") <= 600_000
    touched = await bob.run("() => app.hmsActions.sessionStore.touch('here', 1_200)")
    assert touched["expiresAt"] > heard["expiresAt"]

    await bob.run("() => app.hmsActions.sessionStore.set('short', 1, { expiresIn: 1 })")
    await holds(alice, "short", 1)
    await holds(alice, "short", None)

    await bob.run("() => app.hmsActions.leave()")
    await holds(alice, "here", None)


async def test_parts_of_values_are_changed_by_both_at_once(app_room):
    alice, bob = await observers(app_room, "agenda", "score")
    await alice.run("() => app.hmsActions.sessionStore.set('agenda', { title: 'Q2', items: ['a'] })")
    add = "() => Promise.all(Array.from({ length: 10 }, () => app.hmsActions.sessionStore.increment('score', 0.5)))"
    await asyncio.gather(
        alice.run("() => app.hmsActions.sessionStore.patch('agenda', { title: 'Q3' })"),
        bob.run("""() => app.hmsActions.sessionStore.patch('agenda', [
            { op: 'test', path: '/items/0', value: 'a' }, { op: 'add', path: '/items/-', value: 'b' }])"""),
        alice.run(add),
        bob.run(add),
    )
    for app in (alice, bob):
        await holds(app, "agenda", {"title": "Q3", "items": ["a", "b"]})
        await holds(app, "score", 10)
    refused = "() => app.hmsActions.sessionStore.increment('agenda').catch(({ code }) => code)"
    assert await bob.run(refused) == 422
    removed = await bob.run("() => app.hmsActions.sessionStore.remove('agenda')")
    assert removed["data"] is None
    await holds(alice, "agenda", None)


async def test_changes_of_one_call_are_seen_at_once_or_not_at_all(app_room):
    alice, bob = await observers(app_room, "a", "b")
    for app in (alice, bob):
        await app.run("""() => {
            app.pairs = [];
            app.hmsStore.subscribe((pair) => app.pairs.push(pair), ({ sessionStore: { a, b } }) => [a, b]);
        }""")
    update = """(number) => app.hmsActions.sessionStore.update([
        { key: 'a', value: number }, { key: 'b', patch: { number } }])"""
    for number in range(1, 6):
        await (alice, bob)[number % 2].run(update, number)
    refused = await alice.run("""() => app.hmsActions.sessionStore.update([
        { key: 'a', value: 'lost' }, { key: 'b', value: 'lost', ifChangeVersion: 1 }]
        ).catch(({ code, entries }) => [code, entries.map(({ key, data }) => [key, data])])""")
    assert refused == [409, [["b", {"number": 5}]]]
    for app in (alice, bob):
        await holds(app, "b", {"number": 5})
        assert await app.run("() => app.pairs") == [[number, {"number": number}] for number in range(1, 6)]


async def test_when_both_mutate_at_once_nothing_is_lost(app_room):
    alice, bob = await observers(app_room, "list")
    script = """(name) => Promise.all(Array.from({ length: 25 }, (_, at) =>
        app.hmsActions.sessionStore.mutate('list', async (list = []) => [...list, `${name} ${at}`])))"""
    await asyncio.gather(alice.run(script, "alice"), bob.run(script, "bob"))
    wanted = sorted(f"{name} {at}" for name in ("alice", "bob") for at in range(25))
    values = "() => app.hmsStore.getState(app.selectSessionStore('list'))"
    for app in (alice, bob):
        await app.page.wait_for_function(f"() => ({values})().length === 50", polling=10)
        assert sorted(await app.run(values)) == wanted


async def test_fifty_peers_who_mutate_at_once_lose_nothing(app_room, server):
    alice, _ = await observers(app_room, "list")
    tokens = [server.sign(app_room.id, "guest", f"guest-{number}") for number in range(50)]
    script = """async ([server, tokens]) => {
        const peers = tokens.map(() => new app.HMSReactiveStore().getActions());
        await Promise.all(peers.map((peer, at) =>
            peer.join({ userName: `Guest ${at}`, authToken: tokens[at], initEndpoint: server })));
        // Some hear what others write, and some learn it when they are refused.
        await Promise.all(peers.slice(25).map((peer) => peer.sessionStore.observe('list')));
        await Promise.all(peers.map((peer, at) => peer.sessionStore.mutate('list', (list = []) => [...list, at])));
        await Promise.all(peers.map((peer) => peer.leave()));
    }"""
    await alice.run(script, [alice.server, tokens])
    values = "() => app.hmsStore.getState(app.selectSessionStore('list'))"
    await alice.page.wait_for_function(f"() => ({values})().length === 50", polling=10)
    assert sorted(await alice.run(values)) == list(range(50))


async def test_what_is_added_while_connections_break_counts_once(app_room):
    alice, bob = await observers(app_room, "score", "list")
    # His connection breaks as soon as a change was sent: no answer to it is heard.
    await bob.run("""() => {
        const { send } = WebSocket.prototype;
        let breaks = 6;
        WebSocket.prototype.send = function (text) {
            if (this.readyState === WebSocket.OPEN) send.call(this, text);
            if (text.includes('"update-metadata"') && breaks-- > 0) this.close();
        };
        app.hmsStore.subscribe((state) => {
            if (state === "Reconnecting") setTimeout(() => app.hmsActions.retryConnection(), 50);
        }, app.selectRoomState);
    }""")
    await bob.run("""() => Promise.all(Array.from({ length: 12 }, async (_, at) => {
        await app.hmsActions.sessionStore.increment('score');
        await app.hmsActions.sessionStore.mutate('list', (list = []) => [...list, at]);
    }))""")
    await holds(alice, "score", 12)
    values = await alice.run("() => app.hmsStore.getState(app.selectSessionStore('list'))")
    assert sorted(values) == list(range(12))
    ids = [frame["params"]["change_id"] for frame in bob.requests("update-metadata")]
    assert len(ids) > len(set(ids))


async def test_a_lock_excludes_and_what_is_written_without_it_is_refused(app_room):
    alice, bob = await observers(app_room, "deck:1")
    work = """(name) => Promise.all([1, 2, 3].map(() => app.hmsActions.withLock('deck', async (lock) => {
        const { sessionStore } = app.hmsActions;
        const begun = await sessionStore.set('deck:1', [name, 'begun'], { ifLock: lock });
        await new Promise((resolve) => setTimeout(resolve, 50));
        // Nobody else has written since.
        await sessionStore.set('deck:1', [name, 'done'], { ifLock: lock, ifChangeVersion: begun.change_version });
        return [lock.token, lock.signal.aborted];
    })))"""
    ran = [*chain.from_iterable(await asyncio.gather(alice.run(work, "alice"), bob.run(work, "bob")))]
    assert len({token for token, _ in ran}) == 6
    assert not any(aborted for _, aborted in ran)
    for app in (alice, bob):
        await app.page.wait_for_function("() => !('deck' in app.hmsStore.getState(app.selectLocks))", polling=10)

    # Alice loses the lock to Bob: her signal aborts, and her token is good for nothing.
    losing = asyncio.ensure_future(
        alice.run("""() => app.hmsActions.withLock('deck', async (lock) => {
            app.mine = lock;
            await new Promise((resolve) => lock.signal.addEventListener('abort', resolve));
            return app.hmsActions.sessionStore.set('deck:1', 'late', { ifLock: lock }).catch((error) => error);
        }).then(({ code, lock }) => [code, lock.holder])""")
    )
    await bob.page.wait_for_function("() => app.hmsStore.getState(app.selectLocks).deck", polling=10)
    busy = (
        "() => app.hmsActions.withLock('deck', () => 'got it', { waitMs: 0 }).catch(({ code, lock }) => [code, lock])"
    )
    code, lock = await bob.run(busy)
    assert (code, lock["holder"]) == (409, await alice.run(PEER))
    holding = asyncio.ensure_future(
        bob.run("""() => app.hmsActions.withLock('deck', () => new Promise((resolve) => { app.letGo = resolve; }))""")
    )
    await asyncio.sleep(0.3)  # until he waits for it
    await bob.run("() => app.hmsActions.unlock(app.hmsStore.getState(app.selectLocks).deck)")
    assert await losing == [409, await bob.run(PEER)]
    await bob.page.wait_for_function("() => app.letGo", polling=10)
    await bob.run("() => app.letGo()")
    await holding


async def test_a_page_that_is_loaded_again_holds_no_lock(app_room):
    alice, bob = await observers(app_room, "deck:1")
    await alice.run("() => { app.hmsActions.withLock('deck', () => new Promise(() => {})); }")
    await bob.page.wait_for_function("() => app.hmsStore.getState(app.selectLocks).deck", polling=10)
    peer = await alice.run(PEER)
    await alice.page.reload()
    await alice.page.wait_for_function("() => globalThis.app")
    await alice.join()
    assert await alice.run(PEER) == peer
    assert await bob.run("() => app.hmsActions.withLock('deck', () => 'mine')") == "mine"


async def test_the_limits_are_known_in_the_room(app_room):
    [alice] = await app_room.meet("alice")
    limits = await alice.run("() => app.hmsStore.getState(app.selectLimits)")
    assert limits["maxKeys"] > limits["usedKeys"] >= 0
    assert min(limits[name] for name in ("maxValueBytes", "maxStoreBytes", "maxFrameBytes", "resumeSeconds")) > 0
