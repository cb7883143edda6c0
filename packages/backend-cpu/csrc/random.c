// Standard normals: Box-Muller over Philox 4x32-10, with the bits of `normals` of @dit/random, where every step of the
// arithmetic is explained. Double precision, in the order written, never a fused multiply-add: this file is compiled with
// -ffp-contract=off.
#include "context.h"

#pragma STDC FP_CONTRACT OFF

typedef struct {
  uint32_t key[2], stream[2];
  uint64_t start;
  float *out;
  long count;
} Job;

static void philox(const Job *job, uint64_t block, uint32_t words[4]) {
  uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32), c2 = job->stream[0], c3 = job->stream[1];
  uint32_t k0 = job->key[0], k1 = job->key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)c0 * 0xd2511f53u, p1 = (uint64_t)c2 * 0xcd9e8d57u;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1, c3 = (uint32_t)p0;
    k0 += 0x9e3779b9u, k1 += 0xbb67ae85u;
  }
  words[0] = c0, words[1] = c1, words[2] = c2, words[3] = c3;
}

// The two draws of the words a and b.
static void transform(uint32_t a, uint32_t b, float out[2]) {
  // log((a + 1/2) / 2^32)
  int n = a == 0 ? -1 : 31 - __builtin_clz(a);
  union {
    uint64_t bits;
    double value;
  } power = {.bits = (uint64_t)(1023 - n) << 52};
  double m = ((double)a + 0.5) * power.value;
  if (m > 1.4142135623730951) m *= 0.5, n++;
  double s = (m - 1.0) / (m + 1.0), q = s * s;
  double series = 1.0 / 15 + q * (1.0 / 17);
  for (int k = 13; k > 0; k -= 2) series = 1.0 / k + q * series;
  double log = (double)(n - 32) * 0.6931471805599453 + 2.0 * s * series;
  double radius = __builtin_sqrt(-2.0 * log);

  // nearest quarter turn and what is left of the angle
  uint32_t quarter = ((b + 0x20000000u) >> 30) & 3;
  double x = ((double)(int32_t)(b - quarter * 0x40000000u) + 0.5) * (6.283185307179586 / 4294967296.0);
  double y = x * x;
  double c = -1.0 / 87178291200.0 + y * (1.0 / 20922789888000.0);
  c = 1.0 / 479001600 + y * c;
  c = -1.0 / 3628800 + y * c;
  c = 1.0 / 40320 + y * c;
  c = -1.0 / 720 + y * c;
  c = 1.0 / 24 + y * c;
  c = -1.0 / 2 + y * c;
  c = radius * (1.0 + y * c);
  double d = 1.0 / 6227020800.0 + y * (-1.0 / 1307674368000.0);
  d = -1.0 / 39916800 + y * d;
  d = 1.0 / 362880 + y * d;
  d = -1.0 / 5040 + y * d;
  d = 1.0 / 120 + y * d;
  d = -1.0 / 6 + y * d;
  d = radius * (x + x * (y * d));

  out[0] = (float)(quarter == 0 ? c : quarter == 1 ? -d : quarter == 2 ? -c : d);
  out[1] = (float)(quarter == 0 ? d : quarter == 1 ? c : quarter == 2 ? -d : -c);
}

static void do_normal(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  uint64_t first = job->start + (uint64_t)(unit * CHUNK);
  uint64_t end = job->start + (uint64_t)min_long((unit + 1) * CHUNK, job->count);
  for (uint64_t block = first / 4; block * 4 < end; block++) {
    uint32_t words[4];
    float draws[4];
    philox(job, block, words);
    transform(words[0], words[1], draws);
    transform(words[2], words[3], draws + 2);
    for (uint64_t i = 0; i < 4; i++) {
      uint64_t draw = block * 4 + i;
      if (draw >= first && draw < end) job->out[draw - job->start] = draws[i];
    }
  }
}

// seed, low and high word of the stream, start, out, count
KERNEL(random_normal) {
  uint64_t seed = (uint64_t)DOUBLE(0);
  Job job = {
      .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
      .stream = {(uint32_t)DOUBLE(1), (uint32_t)DOUBLE(2)},
      .start = (uint64_t)DOUBLE(3),
      .out = FLOATS(4),
      .count = LONG(5),
  };
  return parallel(context, do_normal, &job, ceil_div(job.count, CHUNK));
}
