// Multi-head self-attention in blocks, with the softmax carried along (Milakov & Gimelshein 2018; Dao et al. 2022,
// "FlashAttention", algorithm 1): no more than one block of scores exists at a time. The backward pass (their algorithm 4)
// computes the scores again; for each row of them the forward pass saves the largest, and 1 / sum(e^(score - largest)). The
// usual single number, the logarithm of the sum, has too few digits where scores are large.
#include "gemm.h"

#define QUERIES 64L
#define KEYS 128L
_Static_assert(GEMM_SCRATCH + 2 * QUERIES * KEYS + 2 * QUERIES <= SCRATCH_FLOATS, "the blocks fit a thread's scratch");

typedef struct {
  const float *qkv, *out, *dout;
  float *result;  // out forward, dqkv backward
  float *saved;   // two numbers for each row of scores, [batch, heads, tokens, 2]; null where they are not kept
  long tokens, heads, width, head_width;
  long blocks;  // of queries
  float scale;
} Job;

// scores [queries, keys] = rows of `a` times rows of `b` transposed
static void multiply_rows(float *scratch, const float *a, long a_row, const float *b, long b_row, float *scores, long m,
                          long n, long k) {
  Gemm g = {.a = a, .a_row = a_row, .a_column = 1, .b = b, .b_row = 1, .b_column = b_row, .c = scores, .c_row = KEYS};
  g.m = m, g.n = n, g.k = k;
  gemm_local(scratch, &g);
}

// row = e^(scale (row - top)), returns its sum
INLINE float exp_row(float *row, long length, float scale, float top) {
  vf sums = splat(0.0f), factor = splat(scale), shift = splat(top);
  int rest = (int)(length % VL);
  long whole = length - rest;
  for (long i = 0; i < whole; i += VL) {
    vf e = exp_vf((load(row + i) - shift) * factor);
    store(row + i, e);
    sums += e;
  }
  if (rest > 0) {
    vf e = exp_vf((load_part(row + whole, rest, 0.0f) - shift) * factor);
    store_part(row + whole, e, rest);
    sums += load_part(row + whole, rest, 0.0f);
  }
  return sum_lanes(sums);
}

INLINE float max_row(const float *row, long length) {
  int rest = (int)(length % VL);
  long whole = length - rest;
  vf largest = load_part(row + whole, rest, -__builtin_inff());
  for (long i = 0; i < whole; i += VL) largest = max_vf(load(row + i), largest);
  return max_lanes(largest);
}

INLINE void scale_row(float *row, long length, float factor) {
  long i = 0;
  for (; i + VL <= length; i += VL) store(row + i, load(row + i) * splat(factor));
  for (; i < length; i++) row[i] *= factor;
}

// A block of queries of one head of one sample.
static void do_forward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  long block = unit % job->blocks, head = unit / job->blocks % job->heads, sample = unit / job->blocks / job->heads;
  long row = 3 * job->width, q0 = block * QUERIES, queries = min_long(QUERIES, job->tokens - q0);
  const float *q = job->qkv + (sample * job->tokens + q0) * row + head * job->head_width;
  const float *keys = job->qkv + sample * job->tokens * row + job->width + head * job->head_width;
  float *out = job->result + (sample * job->tokens + q0) * job->width + head * job->head_width;
  float *scratch = scratch_of(context, thread), *scores = scratch + GEMM_SCRATCH;
  float *top = scores + QUERIES * KEYS, *sum = top + QUERIES;

  for (long k0 = 0; k0 < job->tokens; k0 += KEYS) {
    const float *k = keys + k0 * row, *v = k + job->width;
    long count = min_long(KEYS, job->tokens - k0);
    multiply_rows(scratch, q, row, k, row, scores, queries, count, job->head_width);
    for (long i = 0; i < queries; i++) {
      float largest = max_row(scores + i * KEYS, count);
      if (k0 == 0) {
        top[i] = largest;
        sum[i] = exp_row(scores + i * KEYS, count, job->scale, largest);
      } else {
        float risen = largest > top[i] ? largest : top[i];
        float shrink = exp_vf(splat((top[i] - risen) * job->scale))[0];
        top[i] = risen;
        sum[i] = sum[i] * shrink + exp_row(scores + i * KEYS, count, job->scale, risen);
        scale_row(out + i * job->width, job->head_width, shrink);
      }
    }
    // out += probabilities v
    Gemm g = {.a = scores, .a_row = KEYS, .a_column = 1, .b = v, .b_row = row, .b_column = 1, .c = out};
    g.c_row = job->width, g.m = queries, g.n = job->head_width, g.k = count, g.accumulate = k0 > 0;
    gemm_local(scratch, &g);
  }
  for (long i = 0; i < queries; i++) {
    float share = 1.0f / sum[i];
    scale_row(out + i * job->width, job->head_width, share);
    if (job->saved) {
      float *saved = job->saved + 2 * ((sample * job->heads + head) * job->tokens + q0 + i);
      saved[0] = top[i], saved[1] = share;
    }
  }
}

// qkv, out, saved or 0, batch, tokens, heads, width (of all heads)
KERNEL(attention) {
  long batch = LONG(3);
  Job job = {.qkv = FLOATS(0), .result = FLOATS(1), .saved = FLOATS(2)};
  job.tokens = LONG(4), job.heads = LONG(5), job.width = LONG(6);
  job.head_width = job.width / job.heads;
  job.scale = 1.0f / __builtin_sqrtf((float)job.head_width);
  job.blocks = ceil_div(job.tokens, QUERIES);
  return parallel(context, do_forward, &job, batch * job.heads * job.blocks);
}

// row of scores -> probabilities, and row of dprobabilities -> dscores = probabilities (dprobabilities - dot) scale
INLINE void score_gradient(const Job *job, float *scores, float *d, long length, const float *saved,
                           float dot) {
  vf scale = splat(job->scale), shift = splat(saved[0]), share = splat(saved[1]), mean = splat(dot);
  long whole = length - length % VL;
  int rest = (int)(length % VL);
  for (long i = 0; i < whole; i += VL) {
    vf p = exp_vf((load(scores + i) - shift) * scale) * share;
    store(scores + i, p);
    store(d + i, p * (load(d + i) - mean) * scale);
  }
  if (rest > 0) {
    vf p = exp_vf((load_part(scores + whole, rest, 0.0f) - shift) * scale) * share;
    store_part(scores + whole, p, rest);
    store_part(d + whole, p * (load_part(d + whole, rest, 0.0f) - mean) * scale, rest);
  }
}

// From front to back, as the micro-kernel sums: where one key takes all, this is then exactly the product of dout with its
// value, and their difference the 0 that it should be.
INLINE float dot_rows(const float *a, const float *b, long length) {
  float sum = 0.0f;
  for (long i = 0; i < length; i++) sum += a[i] * b[i];
  return sum;
}

// c [m, n] (+)= a b, or a^T b
static void add_product(float *scratch, const float *a, long a_row, int transpose, const float *b, long b_row, float *c,
                        long c_row, long m, long n, long k, int accumulate) {
  Gemm g = {.a = a, .a_row = transpose ? 1 : a_row, .a_column = transpose ? a_row : 1, .b = b, .b_row = b_row};
  g.b_column = 1, g.c = c, g.c_row = c_row, g.m = m, g.n = n, g.k = k, g.accumulate = accumulate;
  gemm_local(scratch, &g);
}

// One head of one sample.
static void do_backward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  long head = unit % job->heads, sample = unit / job->heads, row = 3 * job->width, width = job->width;
  long head_width = job->head_width, tokens = job->tokens;
  long at = sample * tokens * row + head * head_width, out_at = sample * tokens * width + head * head_width;
  const float *saved = job->saved + unit * tokens * 2;
  float *scratch = scratch_of(context, thread), *scores = scratch + GEMM_SCRATCH, *dscores = scores + QUERIES * KEYS;

  for (long k0 = 0; k0 < tokens; k0 += KEYS) {
    long keys = min_long(KEYS, tokens - k0);
    const float *k = job->qkv + at + k0 * row + width, *v = k + width;
    float *dk = job->result + at + k0 * row + width, *dv = dk + width;
    for (long q0 = 0; q0 < tokens; q0 += QUERIES) {
      long queries = min_long(QUERIES, tokens - q0);
      const float *q = job->qkv + at + q0 * row;
      const float *out = job->out + out_at + q0 * width, *dout = job->dout + out_at + q0 * width;
      float *dq = job->result + at + q0 * row;
      multiply_rows(scratch, q, row, k, row, scores, queries, keys, head_width);
      multiply_rows(scratch, dout, width, v, row, dscores, queries, keys, head_width);
      for (long i = 0; i < queries; i++) {
        float dot = dot_rows(out + i * width, dout + i * width, head_width);
        score_gradient(job, scores + i * KEYS, dscores + i * KEYS, keys, saved + 2 * (q0 + i), dot);
      }
      add_product(scratch, scores, KEYS, 1, dout, width, dv, row, keys, head_width, queries, q0 > 0);
      add_product(scratch, dscores, KEYS, 1, q, row, dk, row, keys, head_width, queries, q0 > 0);
      add_product(scratch, dscores, KEYS, 0, k, row, dq, row, queries, head_width, keys, k0 > 0);
    }
  }
}

// qkv, out, saved, dout, dqkv, batch, tokens, heads, width (of all heads)
KERNEL(attention_backward) {
  long batch = LONG(5);
  Job job = {.qkv = FLOATS(0), .out = FLOATS(1), .saved = FLOATS(2), .dout = FLOATS(3), .result = FLOATS(4)};
  job.tokens = LONG(6), job.heads = LONG(7), job.width = LONG(8);
  job.head_width = job.width / job.heads;
  job.scale = 1.0f / __builtin_sqrtf((float)job.head_width);
  return parallel(context, do_backward, &job, batch * job.heads);
}
