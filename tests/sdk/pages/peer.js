// window.peer: one peer of a room, driven through whichever release of the SDK the page was bundled with.

export function install(sdk) {
  const hms = new sdk.HMSReactiveStore();
  hms.triggerOnSubscribe();
  const actions = hms.getActions();
  const store = hms.getStore();
  const select = (name, ...args) => store.getState(args.length ? sdk[name](...args) : sdk[name]);

  const notices = [];
  hms.getNotifications().onNotification(({ type, data }) => {
    notices.push({ type, code: data?.code, name: data?.name, reason: data?.reason, text: data?.message });
  });

  // Everybody in the room, by name; two of one name would hide each other, so tests give each its own.
  const people = (value) => Object.fromEntries(select("selectPeers").map((peer) => [peer.name, value(peer)]));
  const peerNamed = (name) => select("selectPeers").find((peer) => peer.name === name);
  const poll = (title) => select("selectPolls").find((one) => one.title === title);

  const views = {
    connected: () => select("selectIsConnectedToRoom"),
    state: () => select("selectRoomState"),
    roomName: () => select("selectRoom").name,
    session: () => select("selectRoom").sessionId,
    count: () => select("selectPeerCount"),
    id: () => select("selectLocalPeerID"),
    names: () => select("selectPeers").map((peer) => peer.name).sort(),
    ids: () => people((peer) => peer.id),
    roles: () => people((peer) => peer.roleName),
    users: () => people((peer) => peer.customerUserId),
    metadata: () => people((peer) => peer.metadata),
    hands: () => people((peer) => peer.isHandRaised),
    knownRoles: () => Object.keys(select("selectRolesMap")).sort(),
    permissions: () => select("selectPermissions"),
    messages: () =>
      select("selectHMSMessages").map(({ id, time, ...message }) => ({
        id,
        time: time.getTime(),
        text: message.message,
        type: message.type,
        from: message.senderName,
        role: message.senderRole,
        to: message.recipientPeer,
        roles: message.recipientRoles,
      })),
    lastText: () => select("selectHMSMessages").at(-1)?.message,
    texts: () => select("selectHMSMessages").map((message) => message.message),
    sessionMetadata: () => select("selectSessionMetadata"),
    key: (name) => select("selectSessionStore", name),
    roleRequest: () => {
      const request = select("selectRoleChangeRequest");
      return request && { role: request.role.name, by: request.requestedBy?.name };
    },
    notices: (...types) => notices.filter((notice) => types.includes(notice.type)).map((notice) => notice.type),
    errorCode: () => notices.findLast((notice) => notice.type === "ERROR")?.code,
    refreshes: () => notices.filter((notice) => notice.text === "refresh").length,
    refreshed: () => notices.some((notice) => notice.text === "refresh"),
    poll: (title) => {
      const found = poll(title);
      return found && { state: found.state, type: found.type, questions: found.questions?.map(({ text }) => text) };
    },
    pollState: (title) => poll(title)?.state,
    votes: (title) => poll(title)?.questions?.map(({ options }) => options?.map((option) => option.voteCount ?? 0)),
    answers: (title) =>
      poll(title)?.questions?.map(({ responses }) => (responses ?? []).map((one) => one.text ?? one.options ?? one.option)),
  };

  // Steps whose call differs from release to release, or takes what only the page holds.
  const steps = {
    changeRole: (name, role, force) =>
      (actions.changeRoleOfPeer ?? actions.changeRole).call(actions, peerNamed(name).id, role, force),
    acceptRole: () => actions.acceptChangeRole(select("selectRoleChangeRequest")),
    rejectRole: () => actions.rejectChangeRole(select("selectRoleChangeRequest")),
    tokenByCode: async (roomCode, userId, endpoint) => {
      const answer = await actions.getAuthTokenByRoomCode({ roomCode, userId }, { endpoint });
      return answer.token ?? answer;
    },
    removeKey: (key) => actions.sessionStore.set(key),
    everyPeer: async (options) => {
      const pages = actions.getPeerListIterator(options);
      const found = [];
      do found.push((await pages.next()).map((peer) => peer.name).sort());
      while (pages.hasNext());
      return { pages: found, total: pages.getTotal() };
    },
    answerPoll: (title, answers) => actions.interactivityCenter.addResponsesToPoll(poll(title).id, answers),
    stopPoll: (title) => actions.interactivityCenter.stopPoll(poll(title).id),
    listPolls: async () => (await actions.interactivityCenter.getPolls()).map(({ title, state }) => ({ title, state })),
    fetchResponses: (title, own) => actions.interactivityCenter.getPollResponses(poll(title), own),
    leaderboard: (title) => actions.interactivityCenter.fetchLeaderboard(poll(title).id, 0, 10),
  };

  // A dotted name reaches into the actions: "sessionStore.set".
  function action(name) {
    const path = name.split(".");
    const owner = path.slice(0, -1).reduce((object, part) => object[part], actions);
    const call = owner[path.at(-1)];
    if (!call) throw new Error(`this release has no ${name}`);
    return call.bind(owner);
  }

  window.peer = {
    see: (view, ...args) => views[view](...args) ?? null,
    call: (name, ...args) => (steps[name] ?? action(name))(...args),
    refused: async (name, ...args) => {
      try {
        await peer.call(name, ...args);
      } catch (error) {
        return { code: error.code ?? null, message: error.message, description: error.description ?? null };
      }
      return null;
    },
  };
}
