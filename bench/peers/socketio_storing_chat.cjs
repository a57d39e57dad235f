// Socket.IO that keeps what it is told: each message is numbered in its room, stored in SQLite, told to the
// others, then acknowledged.
// Stored are what came in one turn of the event loop in one transaction ("sets"), or each by itself ("each").
const { createServer } = require("http");
const { DatabaseSync } = require("node:sqlite");
const { Server } = require("socket.io");

const [, , port, stored] = process.argv;
const KEPT = Number(process.env.KEPT ?? 1_000); // messages of a room, as hmsroom's KEPT_MESSAGES
const YOUNG = Number(process.env.YOUNG ?? 300_000); // ms for which more are kept, as its CLIENT_ID_SECONDS
const MOST = 10_000; // but never more, as its JOURNAL_MAX_EVENTS
const TRIM_EVERY = 64;

const database = new DatabaseSync("messages.sqlite3");
database.exec(`
  PRAGMA journal_mode=WAL;
  PRAGMA synchronous=NORMAL;
  PRAGMA wal_autocheckpoint=8000;
  CREATE TABLE message (room TEXT, seq INTEGER, sender TEXT, text TEXT, at INTEGER, PRIMARY KEY (room, seq)) WITHOUT ROWID;
`);
const insert = database.prepare("INSERT INTO message VALUES (?, ?, ?, ?, ?)");
const trim = database.prepare(
  "DELETE FROM message WHERE room = ? AND seq >= ? AND seq < ? AND (at < ? OR seq <= ?)",
);
const [begin, commit] = ["BEGIN IMMEDIATE", "COMMIT"].map((statement) => database.prepare(statement));

const http = createServer();
const io = new Server(http, { transports: ["websocket"] });
const rooms = new Map(); // name → { seq, oldest } of what is stored
const waiting = [];

function store({ room, name, text }) {
  const known = rooms.get(room);
  const at = Date.now();
  known.seq += 1;
  insert.run(room, known.seq, name, text, at);
  if (known.seq % TRIM_EVERY === 0) {
    const until = Math.min(known.oldest + 2 * TRIM_EVERY, known.seq - KEPT + 1);
    known.oldest += trim.run(room, known.oldest, until, at - YOUNG, known.seq - MOST).changes;
  }
  return known.seq;
}

function tell({ socket, room, name, text, id, answer }, seq) {
  socket.to(room).emit("message", { from: name, text, seq });
  answer({ id, seq });
}

function storeWaiting() {
  const set = waiting.splice(0);
  begin.run();
  const numbers = set.map(store);
  commit.run();
  set.forEach((message, place) => tell(message, numbers[place]));
}

function take(message) {
  if (stored === "each") {
    tell(message, store(message));
  } else {
    if (!waiting.length) setImmediate(storeWaiting); // when everything that has come is read
    waiting.push(message);
  }
}

io.on("connection", (socket) => {
  let room, name;
  socket.on("join", (params, answer) => {
    ({ room, name } = params);
    if (room.startsWith("n")) io.to(room).emit("joined", { name });
    if (!rooms.has(room)) rooms.set(room, { seq: 0, oldest: 1 });
    socket.join(room);
    answer({ name });
  });
  socket.on("send", ({ text, id }, answer) => take({ socket, room, name, text, id, answer }));
});

http.listen(Number(port), "127.0.0.1", Number(process.env.BACKLOG));
