// Joins by the room code of the address, /prebuilt/<code>/, or by the token after its "#": /prebuilt/#<token>.
import { createRoot } from "react-dom/client";

import { HMSPrebuilt } from "@100mslive/roomkit-react";

const { server } = document.body.dataset;
const roomCode = location.pathname.split("/")[2] || undefined;
const authToken = location.hash.slice(1) || undefined;
const userName = new URLSearchParams(location.search).get("name") ?? undefined;

createRoot(document.getElementById("root")).render(
  <div style={{ height: "100dvh" }}>
    <HMSPrebuilt
      roomCode={roomCode}
      authToken={authToken}
      options={{
        userName,
        endpoints: {
          // The SDK keeps only the origin, but does not start without "https://" somewhere.
          init: `${server}/#https://prod`,
          tokenByRoomCode: `${server}/v2/token`,
          roomLayout: `${server}/v2/layouts/ui`,
          event: server,
        },
      }}
    />
  </div>,
);
