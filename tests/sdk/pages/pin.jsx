// Pinned messages as a React app of the session metadata's first days had them: set, tell the others, let them ask.
import { useCallback, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

import {
  HMSNotificationTypes,
  HMSRoomProvider,
  selectHMSMessages,
  selectIsConnectedToRoom,
  selectSessionMetadata,
  useHMSActions,
  useHMSNotifications,
  useHMSStore,
} from "@100mslive/react-sdk";

const METADATA_CHANGED = "metadata";

function usePinnedMessage() {
  const actions = useHMSActions();
  const connected = useHMSStore(selectIsConnectedToRoom);
  const pinned = useHMSStore(selectSessionMetadata);
  const notification = useHMSNotifications(HMSNotificationTypes.NEW_MESSAGE);

  useEffect(() => {
    actions.ignoreMessageTypes([METADATA_CHANGED]);
  }, [actions]);

  useEffect(() => {
    if (connected) actions.populateSessionMetadata();
  }, [actions, connected]);

  useEffect(() => {
    if (notification?.data.type === METADATA_CHANGED) actions.populateSessionMetadata();
  }, [actions, notification]);

  const pin = useCallback(
    async (message) => {
      await actions.setSessionMetadata(message && `${message.senderName}: ${message.message}`);
      await actions.sendBroadcastMessage("refresh", METADATA_CHANGED);
    },
    [actions],
  );
  return { pinned, pin };
}

function Chat() {
  const actions = useHMSActions();
  const messages = useHMSStore(selectHMSMessages);
  const { pinned, pin } = usePinnedMessage();
  const [draft, setDraft] = useState("");

  const send = async (event) => {
    event.preventDefault();
    await actions.sendBroadcastMessage(draft);
    setDraft("");
  };

  return (
    <main>
      {pinned && (
        <p role="status">
          {pinned} <button onClick={() => pin(null)}>Unpin</button>
        </p>
      )}
      <ul>
        {messages.map((message) => (
          <li key={message.id}>
            {message.senderName}: {message.message} <button onClick={() => pin(message)}>Pin</button>
          </li>
        ))}
      </ul>
      <form onSubmit={send}>
        <input aria-label="Message" value={draft} onChange={(event) => setDraft(event.target.value)} />
      </form>
      <button onClick={() => actions.leave()}>Leave</button>
    </main>
  );
}

function App() {
  const actions = useHMSActions();
  const connected = useHMSStore(selectIsConnectedToRoom);
  useEffect(() => {
    window.join = (config) => actions.join(config);
  }, [actions]);
  return connected ? <Chat /> : <p>Not in the room</p>;
}

createRoot(document.getElementById("root")).render(
  <HMSRoomProvider>
    <App />
  </HMSRoomProvider>,
);
