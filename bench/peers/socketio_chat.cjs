// Socket.IO with rooms and its defaults (compression is off by default).
const { createServer } = require("http");
const { Server } = require("socket.io");

const http = createServer();
const io = new Server(http);
const metadata = new Map();

io.on("connection", (socket) => {
  let room, name;
  socket.on("join", (params, answer) => {
    ({ room, name } = params);
    if (room.startsWith("n")) io.to(room).emit("joined", { name });
    socket.join(room);
    answer({ name, metadata: metadata.get(room) ?? {} });
  });
  socket.on("send", ({ text }) => io.to(room).emit("message", { from: name, text }));
  socket.on("set", ({ key, value }) => {
    metadata.set(room, { ...metadata.get(room), [key]: value });
    io.to(room).emit("metadata", { key, value });
  });
});

http.listen(Number(process.argv[2]), "127.0.0.1", Number(process.env.BACKLOG));
