/* The hot loop of the load generator: one thread, one epoll, any number of client websockets.
 *
 * Python (harness/clients.py) says where to connect and which frames to exchange; this file moves the bytes,
 * finds markers in what arrives, and counts. A marker is 27 characters inside any payload:
 *
 *     @@ kind sequence(8 hex digits) time(16 hex digits, nanoseconds)
 *
 *     B  a broadcast message         A  its acknowledgement (the marker is the request's id)
 *     M  a metadata value            J  the name or id of a peer (sequence: its index)
 *     C  what is only to differ from one message to the next: ids of the client's own, other values
 *
 * Several markers in one frame, or frames in one read, count one by one. Latency runs from the time at
 * which a message was due to be sent, so a generator or server that falls behind cannot hide it. */
#ifndef GENERATOR_H
#define GENERATOR_H

#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdint.h>

#include "histogram.h"

#define MARKER 27
#define MARKS 12                /* markers in one message to send, at most */
#define READ_BUFFER (4 << 20)
#define VALUES (1 << 16)        /* metadata values followed in one run */
#define SESSION 20              /* characters of an Engine.IO session's id */
#define SECOND 1000000000LL

enum { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };
enum { IDLE, CONNECTING, ASKING, UPGRADING, JOINING, READY, DEAD };

/* An HTTP request. One that follows an answer with `"sid":"…"` holds a blank for it: SESSION times `~`. */
typedef struct {
  char *bytes;
  int length;
} request;

typedef struct {
  int op, length, wait_length;
  char *frame, *wait; /* what to send, and the text in the answer that ends the step */
} step;

typedef struct {
  int fd, state, index, port, paused;
  request *asks; /* what is asked on a connection of its own before the websocket's opens */
  int ask_count, asked;
  request upgrade;
  step *steps;
  int step_count, current;
  char *unread; /* a frame that has not arrived whole */
  int unread_length, unread_size;
  char *unsent;
  int unsent_length, unsent_size;
  int64_t newest;    /* highest metadata sequence seen in this run */
  uint64_t order;    /* hash of the messages of this run, in the order of their arrival */
  uint8_t *sighted;  /* bit per peer whose name was seen */
  char *kept;        /* the last frame with the text that is looked for */
} connection;

typedef struct {
  int peer, op, length, marks;
  int offset[MARKS];
  char kind[MARKS], *frame;
} sender;

typedef struct {
  int epoll, count, capacity;
  connection *connections;
  struct in_addr server;
  int ready, dead, in_flight, more; /* more: the last look found as many events as it could hold */
  sender *senders;
  int sender_count;
  char ping[16], pong[16]; /* of the application, as Engine.IO has */
  int ping_length, pong_length;
  uint64_t frames, bytes, messages, acks, sightings;
  histogram message_latency, ack_latency, value_latency, everybody_latency, lag;
  int64_t value_sent[VALUES]; /* metadata: when a value was due, how many peers have it or a newer one */
  uint32_t value_seen[VALUES];
  uint64_t values_complete;
  uint32_t audience;
  int64_t last_frame, last_news, last_sighting, lazy, last_poll; /* news: a frame with a marker */
  char *wanted; /* text to look for in frames */
  int wanted_length;
  uint64_t found;
  char *buffer;
} generator;

typedef struct {
  int32_t kind, window;  /* window: sends under way at once when rate is 0 */
  double rate, fan_out;  /* sends a second over all senders; markers expected per send */
  int64_t duration, drain, limit;
  int32_t audience;      /* peers that must have a metadata value */
} plan;

typedef struct {
  uint64_t sent, received, acked, frames, bytes, complete;
  int64_t first_send, last_receive;
  int64_t p50, p95, p99, max, ack_p50, ack_p99, ack_max, full_p50, full_p95, full_p99, lag_p99, dead;
} result;

int64_t now(void);
void watch(generator *g, connection *c, int operation);
void connect_peer(generator *g, connection *c);
void drop(generator *g, connection *c);
void send_bytes(generator *g, connection *c, const char *bytes, int length);
void send_unsent(generator *g, connection *c);
void send_frame(generator *g, connection *c, int op, const char *payload, int length);
void readable(generator *g, connection *c);

#endif
