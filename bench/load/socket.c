/* One client websocket: bytes, frames, markers. */
#include "generator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LARGEST_FRAME 65536
#define PEERS_PER_ADDRESS 2000 /* each loopback address has its own range of ports */

int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * SECOND + t.tv_nsec;
}

void watch(generator *g, connection *c, int operation) {
  int writing = c->unsent_length || c->state == CONNECTING;
  struct epoll_event event = {.events = (c->paused ? 0 : EPOLLIN) | (writing ? EPOLLOUT : 0), .data.u32 = c->index};
  epoll_ctl(g->epoll, operation, c->fd, &event);
}

void connect_peer(generator *g, connection *c) {
  int yes = 1;
  char address[20];
  struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(c->port), .sin_addr = g->server};
  snprintf(address, sizeof address, "127.0.0.%d", 2 + c->index / PEERS_PER_ADDRESS);
  inet_pton(AF_INET, address, &from.sin_addr);
  c->state = CONNECTING;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) return drop(g, c);
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  bind(c->fd, (struct sockaddr *)&from, sizeof from);
  connect(c->fd, (struct sockaddr *)&to, sizeof to);
  watch(g, c, EPOLL_CTL_ADD);
}

static void close_socket(connection *c) {
  struct linger at_once = {1, 0}; /* a reset: thousands of ports must not wait in TIME_WAIT */
  setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(c->fd);
  c->fd = -1;
}

void drop(generator *g, connection *c) {
  if (c->state == DEAD) return;
  if (c->state == READY) g->ready--;
  if (c->state >= CONNECTING && c->state <= JOINING) g->in_flight--;
  c->state = DEAD;
  g->dead++;
  if (c->fd >= 0) close_socket(c);
}

void send_bytes(generator *g, connection *c, const char *bytes, int length) {
  if (c->fd < 0) return;
  int sent = 0;
  if (!c->unsent_length) {
    sent = send(c->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return drop(g, c);
    if (sent < 0) sent = 0;
  }
  if (sent == length) return;
  int need = c->unsent_length + length - sent;
  if (need > c->unsent_size) c->unsent = realloc(c->unsent, c->unsent_size = need * 2);
  memcpy(c->unsent + c->unsent_length, bytes + sent, length - sent);
  c->unsent_length = need;
  watch(g, c, EPOLL_CTL_MOD);
}

void send_unsent(generator *g, connection *c) {
  int sent = send(c->fd, c->unsent, c->unsent_length, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN) drop(g, c);
    return;
  }
  memmove(c->unsent, c->unsent + sent, c->unsent_length - sent);
  c->unsent_length -= sent;
  if (!c->unsent_length) watch(g, c, EPOLL_CTL_MOD);
}

void send_frame(generator *g, connection *c, int op, const char *payload, int length) {
  static const unsigned char mask[4] = {0x1b, 0x2d, 0x73, 0x4e};
  static _Thread_local char frame[LARGEST_FRAME + 8]; /* while one system has its turn, the clients of others read */
  int header = 2;
  if (length >= LARGEST_FRAME) return;
  frame[0] = 0x80 | op;
  if (length < 126) {
    frame[1] = 0x80 | length;
  } else {
    frame[1] = 0x80 | 126;
    frame[2] = length >> 8;
    frame[3] = length;
    header = 4;
  }
  memcpy(frame + header, mask, 4);
  header += 4;
  for (int i = 0; i < length; i++) frame[header + i] = payload[i] ^ mask[i & 3];
  send_bytes(g, c, frame, header + length);
}

/* Send the frame of the current step; a step that waits for nothing falls through to the next. */
static void advance(generator *g, connection *c) {
  while (c->current < c->step_count) {
    step *s = &c->steps[c->current];
    if (s->length) send_frame(g, c, s->op, s->frame, s->length);
    if (s->wait_length) return;
    c->current++;
  }
  c->state = READY;
  g->ready++;
  g->in_flight--;
}

static inline uint64_t from_hex(const char *text, int digits) {
  uint64_t value = 0;
  for (int i = 0; i < digits; i++) value = value << 4 | (text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10);
  return value;
}

/* A peer that has value n has no more use for the ones before: those count as delivered to it. */
static void saw_value(generator *g, connection *c, int64_t sequence, int64_t due, int64_t time) {
  if (sequence <= c->newest) return;
  record(&g->value_latency, time - due);
  g->messages++;
  for (int64_t s = c->newest + 1; s <= sequence && s < VALUES; s++) {
    if (++g->value_seen[s] != g->audience) continue;
    record(&g->everybody_latency, time - g->value_sent[s]);
    g->values_complete++;
  }
  c->newest = sequence;
}

static void saw_peer(generator *g, connection *c, uint32_t peer, int64_t time) {
  if ((int)peer == c->index || (int)peer >= g->capacity) return;
  if (!c->sighted) c->sighted = calloc(1, g->capacity / 8 + 1);
  uint8_t bit = 1 << (peer & 7);
  if (c->sighted[peer >> 3] & bit) return;
  c->sighted[peer >> 3] |= bit;
  g->sightings++;
  g->last_sighting = time;
}

static void find_markers(generator *g, connection *c, const char *at, const char *end, int64_t time) {
  while ((at = memmem(at, end - at, "@@", 2)) && end - at >= MARKER) {
    uint32_t sequence = from_hex(at + 3, 8);
    int64_t due = from_hex(at + 11, 16);
    g->last_news = time;
    switch (at[2]) {
      case 'B':
        record(&g->message_latency, time - due);
        g->messages++;
        c->order = (c->order ^ sequence) * 0x100000001b3ULL;
        break;
      case 'A':
        record(&g->ack_latency, time - due);
        g->acks++;
        break;
      case 'M': saw_value(g, c, sequence, due, time); break;
      case 'J': saw_peer(g, c, sequence, time); break;
    }
    at += MARKER;
  }
}

/* Count a frame that holds the text that is looked for, and keep it in place of the one before. */
static void look_for_text(generator *g, connection *c, const char *payload, int length) {
  if (!memmem(payload, length, g->wanted, g->wanted_length)) return;
  g->found++;
  free(c->kept);
  c->kept = strndup(payload, length);
}

static void received(generator *g, connection *c, const char *payload, int length, int64_t time) {
  g->frames++;
  g->last_frame = time;
  if (g->ping_length && length == g->ping_length && !memcmp(payload, g->ping, length))
    return send_frame(g, c, TEXT, g->pong, g->pong_length);
  find_markers(g, c, payload, payload + length, time);
  if (g->wanted) look_for_text(g, c, payload, length);
  if (c->state != JOINING) return;
  step *s = &c->steps[c->current];
  if (!memmem(payload, length, s->wait, s->wait_length)) return;
  c->current++;
  advance(g, c);
}

static int refused(generator *g, connection *c, const char *bytes, int length) {
  if (g->dead < 3) fprintf(stderr, "refused: %.*s\n", length < 300 ? length : 300, bytes);
  drop(g, c);
  return length;
}

static void fill_in(request *r, const char *session) {
  char *blank = memmem(r->bytes, r->length, "~~~~~~~~~~~~~~~~~~~~", SESSION);
  if (blank) memcpy(blank, session, SESSION);
}

/* The bytes of the answer to what was asked, or 0 while it is not whole; what follows it is asked at once. */
static int answered(generator *g, connection *c, char *bytes, int length) {
  char *body = memmem(bytes, length, "\r\n\r\n", 4), *size;
  if (!body) return 0;
  body += 4;
  *(body - 1) = 0; /* ends the headers, for strcasestr */
  size = strcasestr(bytes, "\r\ncontent-length:");
  *(body - 1) = '\n';
  if (!size || !memmem(bytes, 16, " 200 ", 5)) return refused(g, c, bytes, length);
  char *end = body + atoi(size + 17);
  if (end > bytes + length) return 0;
  char *session = memmem(body, end - body, "\"sid\":\"", 7);
  if (session && session + 7 + SESSION <= end) {
    for (int i = c->asked + 1; i < c->ask_count; i++) fill_in(&c->asks[i], session + 7);
    fill_in(&c->upgrade, session + 7);
  }
  if (++c->asked < c->ask_count) {
    send_bytes(g, c, c->asks[c->asked].bytes, c->asks[c->asked].length);
  } else {
    close_socket(c);
    connect_peer(g, c);
  }
  return end - bytes;
}

/* The bytes of the answer to the upgrade request, or 0 while it is not whole. */
static int upgraded(generator *g, connection *c, const char *bytes, int length) {
  char *end = memmem(bytes, length, "\r\n\r\n", 4);
  if (!end) return 0;
  if (!memmem(bytes, 16, " 101 ", 5)) return refused(g, c, bytes, length);
  c->state = JOINING;
  advance(g, c);
  return end + 4 - bytes;
}

/* Take one frame; the bytes it had, or 0 while it is not whole. Servers send unmasked, unfragmented frames. */
static int take_frame(generator *g, connection *c, const unsigned char *bytes, int available, int64_t time) {
  uint64_t length = bytes[1] & 127;
  int header = length == 126 ? 4 : length == 127 ? 10 : 2;
  if (available < header) return 0;
  if (header > 2) length = 0;
  for (int i = 2; i < header; i++) length = length << 8 | bytes[i];
  if ((uint64_t)(available - header) < length) return 0;
  const char *payload = (const char *)bytes + header;
  int op = bytes[0] & 15;
  if (op == PING) {
    send_frame(g, c, PONG, payload, length);
  } else if (op == CLOSE) {
    int code = length >= 2 ? bytes[header] << 8 | bytes[header + 1] : 0;
    if (g->dead < 3) fprintf(stderr, "close from server: %d\n", code);
    drop(g, c);
  } else if (op != PONG) {
    received(g, c, payload, length, time);
  }
  return header + length;
}

void readable(generator *g, connection *c) {
  char *buffer = g->buffer;
  memcpy(buffer, c->unread, c->unread_length);
  int got = recv(c->fd, buffer + c->unread_length, READ_BUFFER - c->unread_length, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return drop(g, c);
  int64_t time = now();
  int length = c->unread_length + got, done = 0, taken;
  g->bytes += got;
  if (c->state == ASKING) done = answered(g, c, buffer, length);
  else if (c->state == UPGRADING) done = upgraded(g, c, buffer, length);
  while ((c->state == JOINING || c->state == READY) && length - done >= 2) {
    taken = take_frame(g, c, (unsigned char *)buffer + done, length - done, time);
    if (!taken) break;
    done += taken;
  }
  if (c->state == DEAD) return;
  c->unread_length = length - done;
  if (c->unread_length > c->unread_size)
    c->unread = realloc(c->unread, c->unread_size = c->unread_length * 2 + 256);
  memcpy(c->unread, buffer + done, c->unread_length);
}
