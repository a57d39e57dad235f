// Colyseus: room state carries peers and metadata, chat is a broadcast.
import { Room, Server } from "@colyseus/core";
import { MapSchema, Schema, defineTypes } from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";

class State extends Schema {
  constructor() {
    super();
    this.peers = new MapSchema();
    this.metadata = new MapSchema();
  }
}
defineTypes(State, { peers: { map: "string" }, metadata: { map: "string" } });

class Chat extends Room {
  maxMessagesPerSecond = Infinity;
  seatReservationTimeout = 120;

  onCreate({ room }) {
    this.state = new State();
    this.announces = room.startsWith("n");
    this.onMessage("send", (client, text) => this.broadcast("message", { from: client.userData, text }));
    this.onMessage("set", (client, value) => this.state.metadata.set("topic", value));
  }

  onJoin(client, { name }) {
    client.userData = name;
    if (this.announces) this.state.peers.set(client.sessionId, name);
  }

  onLeave(client) {
    this.state.peers.delete(client.sessionId);
  }
}

const server = new Server({ transport: new WebSocketTransport({ maxPayload: 65536 }), greet: false });
server.define("chat", Chat).filterBy(["room"]);
server.listen(Number(process.argv[2]), "127.0.0.1", Number(process.env.BACKLOG));
