/* The loop, one run of a scenario, and what Python calls (wl_...). */
#include "generator.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 512

static void connected(generator *g, connection *c) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) return drop(g, c);
  request *first = c->asked < c->ask_count ? &c->asks[c->asked] : &c->upgrade;
  c->state = first == &c->upgrade ? UPGRADING : ASKING;
  send_bytes(g, c, first->bytes, first->length);
  if (c->fd >= 0) watch(g, c, EPOLL_CTL_MOD);
}

/* When lazy, visit the sockets at most once in so many nanoseconds, so that several frames share a read: the
 * generator then needs less of its core than the server of its own, and interrupts it less. */
static int too_early(generator *g, int64_t most) {
  int64_t wait = g->lazy - (now() - g->last_poll);
  if (wait > most + 50000) wait = most + 50000;
  if (wait > 0) nanosleep(&(struct timespec){0, wait}, 0);
  if (now() - g->last_poll < g->lazy) return 1;
  g->last_poll = now();
  return 0;
}

static void turn(generator *g, int64_t most) {
  static _Thread_local struct epoll_event events[EVENTS];
  if (g->lazy && too_early(g, most)) return;
  int64_t wait = g->lazy ? 0 : most;
  int count = epoll_pwait2(g->epoll, events, EVENTS, &(struct timespec){wait / SECOND, wait % SECOND}, 0);
  g->more = count == EVENTS;
  if (g->more) g->last_poll = 0;
  for (int i = 0; i < count; i++) {
    connection *c = &g->connections[events[i].data.u32];
    uint32_t happened = events[i].events, broken = happened & (EPOLLERR | EPOLLHUP);
    if (c->fd < 0) continue;
    if (c->state == CONNECTING && (happened & EPOLLOUT || broken)) {
      connected(g, c);
      continue;
    }
    if (happened & EPOLLOUT && c->unsent_length) send_unsent(g, c);
    if (c->fd >= 0 && (broken || (happened & EPOLLIN && !c->paused))) readable(g, c);
  }
}

static void put_marker(char *at, int kind, uint64_t sequence, uint64_t time) {
  static const char digits[] = "0123456789abcdef";
  at[0] = at[1] = '@';
  at[2] = kind;
  for (int i = 10; i > 2; i--, sequence >>= 4) at[i] = digits[sequence & 15];
  for (int i = 26; i > 10; i--, time >>= 4) at[i] = digits[time & 15];
}

static void send_next(generator *g, const plan *p, uint64_t sequence, int64_t due) {
  sender *s = &g->senders[sequence % g->sender_count];
  for (int i = 0; i < s->marks; i++) put_marker(s->frame + s->offset[i], s->kind[i], sequence, due);
  if (p->kind == 'M' && sequence < VALUES) g->value_sent[sequence] = due;
  send_frame(g, &g->connections[s->peer], s->op, s->frame, s->length);
  record(&g->lag, now() - due);
}

static void reset(generator *g, const plan *p) {
  histogram *all[] = {&g->message_latency, &g->ack_latency, &g->value_latency, &g->everybody_latency, &g->lag};
  for (int i = 0; i < 5; i++) memset(all[i], 0, sizeof(histogram));
  memset(g->value_seen, 0, sizeof g->value_seen);
  g->messages = g->acks = g->values_complete = 0;
  g->audience = p->audience;
  for (int i = 0; i < g->count; i++) {
    g->connections[i].newest = -1;
    g->connections[i].order = 0xcbf29ce484222325ULL;
  }
}

static int complete(const generator *g, const plan *p, uint64_t sent) {
  int acknowledged = g->sender_count && memchr(g->senders[0].kind, 'A', MARKS);
  if (acknowledged && g->acks < sent) return 0;
  return p->kind == 'M' ? g->values_complete >= sent : g->messages >= sent * p->fan_out - 0.5;
}

static void summarise(const generator *g, const plan *p, result *r) {
  const histogram *h = p->kind == 'M' ? &g->value_latency : &g->message_latency;
  r->received = g->messages;
  r->acked = g->acks;
  r->complete = g->values_complete;
  r->last_receive = g->last_frame;
  r->p50 = percentile(h, .5);
  r->p95 = percentile(h, .95);
  r->p99 = percentile(h, .99);
  r->max = h->max;
  r->ack_p50 = percentile(&g->ack_latency, .5);
  r->ack_p99 = percentile(&g->ack_latency, .99);
  r->ack_max = g->ack_latency.max;
  r->full_p50 = percentile(&g->everybody_latency, .5);
  r->full_p95 = percentile(&g->everybody_latency, .95);
  r->full_p99 = percentile(&g->everybody_latency, .99);
  r->lag_p99 = percentile(&g->lag, .99);
}

/* ---- called from Python ----------------------------------------------------------------------- */

generator *wl_new(int capacity, const char *address) {
  generator *g = calloc(1, sizeof *g);
  g->capacity = capacity;
  g->connections = calloc(capacity, sizeof(connection));
  g->epoll = epoll_create1(0);
  g->buffer = malloc(READ_BUFFER);
  inet_pton(AF_INET, address, &g->server);
  return g;
}

void wl_application_ping(generator *g, const char *ping, int ping_length, const char *pong, int pong_length) {
  memcpy(g->ping, ping, g->ping_length = ping_length);
  memcpy(g->pong, pong, g->pong_length = pong_length);
}

static request copy_of(const char *bytes, int length) {
  return (request){memcpy(malloc(length), bytes, length), length};
}

int wl_add(generator *g, int port, const char *upgrade, int length, int asks, int steps) {
  connection *c = &g->connections[g->count];
  *c = (connection){.fd = -1, .index = g->count, .port = port, .newest = -1, .upgrade = copy_of(upgrade, length)};
  c->asks = calloc(asks + 1, sizeof(request));
  c->steps = calloc(steps + 1, sizeof(step));
  return g->count++;
}

void wl_ask(generator *g, int peer, const char *bytes, int length) {
  connection *c = &g->connections[peer];
  c->asks[c->ask_count++] = copy_of(bytes, length);
}

void wl_step(generator *g, int peer, int op, const char *frame, int length, const char *wait, int wait_length) {
  connection *c = &g->connections[peer];
  step *s = &c->steps[c->step_count++];
  *s = (step){.op = op, .length = length, .wait_length = wait_length};
  s->frame = memcpy(malloc(length + 1), frame, length);
  s->wait = memcpy(malloc(wait_length + 1), wait, wait_length);
}

/* Open connections from..to with so many handshakes in flight; nanoseconds taken, -1 when time ran out. */
int64_t wl_open(generator *g, int from, int to, int concurrency, int64_t timeout) {
  int64_t start = now();
  int next = from, settled = g->ready + g->dead + to - from;
  while (g->ready + g->dead < settled) {
    while (next < to && g->in_flight < concurrency) {
      g->in_flight++;
      connect_peer(g, &g->connections[next++]);
    }
    turn(g, SECOND / 100);
    if (now() - start > timeout) return -1;
  }
  return now() - start;
}

/* Read on until nothing waits and no text came for `idle`, or `most` is over; the time of the last text. */
int64_t wl_drain(generator *g, int64_t idle, int64_t most) {
  int64_t start = g->last_frame = now();
  while ((g->more || now() - g->last_frame < idle) && now() - start < most) turn(g, SECOND / 200);
  return g->last_frame;
}

/* Read on until so many names were seen (each peer's, on each other peer's socket) or `most` is over. */
void wl_await_sightings(generator *g, uint64_t wanted, int64_t most) {
  int64_t start = now();
  while (g->sightings < wanted && now() - start < most) turn(g, SECOND / 200);
}

void wl_pause(generator *g, int peer) {
  connection *c = &g->connections[peer];
  int small = 4096;
  c->paused = 1;
  setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  watch(g, c, EPOLL_CTL_MOD);
}

/* Count the frames that hold this text from now on, and keep each connection's last one. */
void wl_look_for(generator *g, const char *text, int length) {
  free(g->wanted);
  g->wanted = memcpy(malloc(length), text, length);
  g->wanted_length = length;
  g->found = 0;
}

void wl_clear_senders(generator *g) {
  for (int i = 0; i < g->sender_count; i++) free(g->senders[i].frame);
  g->sender_count = 0;
}

/* Senders take turns. The frame holds a blank marker where a real one goes; one of kind A is acknowledged. */
void wl_sender(generator *g, int peer, int op, const char *frame, int length) {
  g->senders = realloc(g->senders, (g->sender_count + 1) * sizeof(sender));
  sender *s = &g->senders[g->sender_count++];
  *s = (sender){.peer = peer, .op = op, .length = length};
  s->frame = memcpy(malloc(length), frame, length);
  for (char *at = s->frame; s->marks < MARKS && (at = memmem(at, s->frame + length - at, "@@", 2)); at += MARKER) {
    s->offset[s->marks] = at - s->frame;
    s->kind[s->marks++] = at[2];
  }
}

/* Every sender sends once, at once. */
void wl_send_all(generator *g) {
  plan p = {.kind = 'B'};
  reset(g, &p);
  for (int i = 0; i < g->sender_count; i++) send_next(g, &p, i, now());
}

void wl_run(generator *g, const plan *p, result *r) {
  uint64_t frames = g->frames, bytes = g->bytes, next = 0, progress = 0;
  int dead = g->dead;
  double gap = p->rate > 0 ? SECOND / p->rate : 0;
  reset(g, p);
  memset(r, 0, sizeof *r);
  int64_t start = now(), end = start + p->duration, last_progress = start;
  r->first_send = start;
  for (;;) {
    int64_t time = now();
    for (int burst = 0; time < end && burst < 64; burst++, time = now()) {
      int64_t due = gap ? start + (int64_t)(next * gap) : time;
      if (gap ? due > time : next * p->fan_out - g->messages >= p->window * p->fan_out) break;
      send_next(g, p, next++, due);
    }
    if (g->messages != progress) {
      progress = g->messages;
      last_progress = time;
    }
    if (time >= end) {
      int64_t quiet_since = last_progress > end ? last_progress : end;
      if (complete(g, p, next) || time - quiet_since > p->drain || time - start > p->limit) break;
    }
    int64_t wait = SECOND / 1000;
    if (gap && time < end) wait = start + (int64_t)(next * gap) - time;
    turn(g, wait < 0 ? 0 : wait > 2 * SECOND / 1000 ? 2 * SECOND / 1000 : wait);
  }
  summarise(g, p, r);
  r->sent = next;
  r->frames = g->frames - frames;
  r->bytes = g->bytes - bytes;
  r->dead = g->dead - dead;
}

int64_t wl_now(void) { return now(); }
void wl_lazy(generator *g, int64_t nanoseconds) { g->lazy = nanoseconds; }
uint64_t wl_frames(const generator *g) { return g->frames; }
uint64_t wl_bytes(const generator *g) { return g->bytes; }
uint64_t wl_messages(const generator *g) { return g->messages; }
uint64_t wl_sightings(const generator *g) { return g->sightings; }
int64_t wl_last_news(const generator *g) { return g->last_news; }
int64_t wl_last_sighting(const generator *g) { return g->last_sighting; }
uint64_t wl_order(const generator *g, int peer) { return g->connections[peer].order; }
uint64_t wl_found(const generator *g) { return g->found; }
const char *wl_kept(const generator *g, int peer) { return g->connections[peer].kept; }
int wl_dead(const generator *g) { return g->dead; }

void wl_free(generator *g) {
  for (int i = 0; i < g->count; i++) {
    connection *c = &g->connections[i];
    drop(g, c);
    for (int j = 0; j < c->step_count; j++) free(c->steps[j].frame), free(c->steps[j].wait);
    for (int j = 0; j < c->ask_count; j++) free(c->asks[j].bytes);
    free(c->steps), free(c->asks), free(c->upgrade.bytes), free(c->unread), free(c->unsent), free(c->sighted), free(c->kept);
  }
  wl_clear_senders(g);
  close(g->epoll);
  free(g->senders), free(g->connections), free(g->wanted), free(g->buffer), free(g);
}
