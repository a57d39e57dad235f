/* Latency histogram: 64 linear buckets for each power of two, so any value is known to 1.6 %. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

#define STEPS 64
#define BUCKETS (STEPS * 44)

typedef struct {
  uint64_t count;
  uint32_t bucket[BUCKETS];
  int64_t max;
} histogram;

static inline int bucket_of(int64_t value) {
  if (value < STEPS) return value < 0 ? 0 : (int)value;
  int exponent = 63 - __builtin_clzll(value);
  int index = (exponent - 5) * STEPS + ((value >> (exponent - 6)) & (STEPS - 1));
  return index >= BUCKETS ? BUCKETS - 1 : index;
}

static inline int64_t bucket_floor(int index) {
  if (index < STEPS) return index;
  int exponent = index / STEPS + 5;
  return (1LL << exponent) + ((int64_t)(index % STEPS) << (exponent - 6));
}

static inline void record(histogram *h, int64_t value) {
  h->bucket[bucket_of(value)]++;
  h->count++;
  if (value > h->max) h->max = value;
}

/* The value below which the given share (0..1) of all recorded values lies; 0 when there are none. */
static inline int64_t percentile(const histogram *h, double share) {
  uint64_t wanted = (uint64_t)(share * h->count), seen = 0;
  if (!h->count) return 0;
  if (wanted >= h->count) wanted = h->count - 1;
  for (int i = 0; i < BUCKETS; i++) {
    seen += h->bucket[i];
    if (seen > wanted) return bucket_floor(i);
  }
  return h->max;
}

#endif
