// An app as its author would write it after the 100ms documentation of session metadata; only the import is ours.
// With ?app=none the page has the actions and the store, but no such code.

const options = new URLSearchParams(location.search);
const hms = await import(`${options.get("server")}/static/rooms/hms.js`);
const { HMSNotificationTypes, hmsActions, hmsNotifications, hmsStore, selectIsConnectedToRoom, selectSessionMetadata } =
  hms;

const heard = { changes: [], refreshes: 0, populated: 0 };

async function setSessionMetadata(data) {
  await hmsActions.setSessionMetadata(data);
  await hmsActions.sendBroadcastMessage("refresh", "metadata");
}

async function populate() {
  await hmsActions.populateSessionMetadata();
  heard.populated += 1;
}

if (options.get("app") !== "none") {
  hmsStore.subscribe((isConnected) => {
    if (isConnected) populate();
  }, selectIsConnectedToRoom);

  hmsNotifications.onNotification(({ data: message }) => {
    if (message?.type === "metadata" && message.message === "refresh") {
      heard.refreshes += 1;
      populate();
    }
  }, HMSNotificationTypes.NEW_MESSAGE);
}

hmsStore.subscribe((metadata) => {
  heard.changes.push(metadata);
  document.querySelector("#pinned").textContent = JSON.stringify(metadata);
}, selectSessionMetadata);

globalThis.app = { ...hms, heard, setSessionMetadata };
