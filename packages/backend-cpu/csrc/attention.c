// Multi-head self-attention in blocks, with the softmax carried along (Milakov & Gimelshein 2018; Dao et al. 2022,
// "FlashAttention", algorithm 1): no more than one block of scores exists at a time. The backward pass (their algorithm 4)
// computes the scores again; for each row of them the forward pass saves the largest, and 1 / sum(e^(score - largest)). The
// usual single number, the logarithm of the sum, has too few digits where scores are large.
#include "gemm.h"

#define QUERIES 64L
#define KEYS 128L
#define PACKED_WIDTH 256L  // of a head, by dot_rows at once
#define SCORES (QUERIES * KEYS + MR)  // gemm_in_place reads a little behind them
_Static_assert(QUERIES % VL == 0, "queries fill whole vectors");
_Static_assert(NR * KEYS <= GEMM_SCRATCH, "products in place find their scratch");
_Static_assert(GEMM_SCRATCH + 2 * SCORES + 3 * QUERIES <= SCRATCH_FLOATS, "the blocks fit a thread's scratch");

typedef struct {
  const float *qkv, *out, *dout;
  float *result;  // out forward, dqkv backward
  float *saved;   // two numbers for each row of scores, [batch, heads, tokens, 2]; null where they are not kept
  long tokens, heads, width, head_width;
  long blocks;  // of queries
  float scale;
} Job;

// scores [m, n] = rows of `a` times rows of `b` transposed; a row of scores is `scores_row` long
static void multiply_rows(float *scratch, const float *a, long a_row, const float *b, long b_row, float *scores,
                          long scores_row, long m, long n, long k) {
  Gemm g = {.a = a, .a_row = a_row, .a_column = 1, .b = b, .b_row = 1, .b_column = b_row, .c = scores};
  g.c_row = scores_row, g.m = m, g.n = n, g.k = k;
  gemm_local(scratch, &g);
}

INLINE void scale_row(float *row, long length, float factor) {
  long i = 0;
  for (; i + VL <= length; i += VL) store(row + i, load(row + i) * splat(factor));
  for (; i < length; i++) row[i] *= factor;
}

// What is known of each query after some blocks of keys: the largest score, the sum of e^(scale (score - largest)), and by
// what the last block shrank what was summed before it.
typedef struct {
  float *top, *sum, *shrink;
} Softmax;

// scores [keys, QUERIES], a column for each query, become e^(scale (score - largest)). Columns that hold no query are
// computed with the others and mean nothing.
static void exp_columns(float *scores, long keys, long queries, float scale, const Softmax *state) {
  vf factor = splat(scale);
  for (long q = 0; q < queries; q += VL) {
    vf top = load(state->top + q), largest = top, sum = splat(0.0f);
    for (long key = 0; key < keys; key++) largest = max_vf(load(scores + key * QUERIES + q), largest);
    for (long key = 0; key < keys; key++) {
      vf e = exp_vf((load(scores + key * QUERIES + q) - largest) * factor);
      store(scores + key * QUERIES + q, e);
      sum += e;
    }
    vf shrink = exp_vf((top - largest) * factor);
    store(state->top + q, largest);
    store(state->sum + q, load(state->sum + q) * shrink + sum);
    store(state->shrink + q, shrink);
  }
}

// A block of queries of one head of one sample.
static void do_forward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  long block = unit % job->blocks, head = unit / job->blocks % job->heads, sample = unit / job->blocks / job->heads;
  long row = 3 * job->width, q0 = block * QUERIES, queries = min_long(QUERIES, job->tokens - q0);
  const float *q = job->qkv + (sample * job->tokens + q0) * row + head * job->head_width;
  const float *keys = job->qkv + sample * job->tokens * row + job->width + head * job->head_width;
  float *out = job->result + (sample * job->tokens + q0) * job->width + head * job->head_width;
  float *scratch = scratch_of(context, thread), *scores = scratch + GEMM_SCRATCH, *top = scores + SCORES;
  Softmax state = {top, top + QUERIES, top + 2 * QUERIES};
  for (long i = 0; i < QUERIES; i++) state.top[i] = -__builtin_inff(), state.sum[i] = 0.0f;

  for (long k0 = 0; k0 < job->tokens; k0 += KEYS) {
    const float *k = keys + k0 * row, *v = k + job->width;
    long count = min_long(KEYS, job->tokens - k0);
    multiply_rows(scratch, k, row, q, row, scores, QUERIES, count, queries, job->head_width);
    exp_columns(scores, count, queries, job->scale, &state);
    if (k0 > 0) {
      for (long i = 0; i < queries; i++) scale_row(out + i * job->width, job->head_width, state.shrink[i]);
    }
    // out += probabilities v
    gemm_in_place(scratch, scores, QUERIES, v, row, out, job->width, queries, job->head_width, count, k0 > 0);
  }
  for (long i = 0; i < queries; i++) {
    float share = 1.0f / state.sum[i];
    scale_row(out + i * job->width, job->head_width, share);
    if (job->saved) {
      float *saved = job->saved + 2 * ((sample * job->heads + head) * job->tokens + q0 + i);
      saved[0] = state.top[i], saved[1] = share;
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

// dots[row] = out[row] . dout[row] for up to VL rows. From front to back, as the micro-kernel sums: where one key takes all,
// this is then exactly the product of dout with its value, and their difference the 0 that it should be.
static void dot_rows(float *scratch, const float *out, const float *dout, long width, long head_width, int rows,
                     float *dots) {
  vf sums = splat(0.0f);
  long stretch = min_long(head_width, PACKED_WIDTH);
  for (long p0 = 0; p0 < head_width; p0 += stretch) {
    long count = min_long(stretch, head_width - p0);
    float *a = scratch, *b = scratch + VL * stretch;
    pack_strip(a, out + p0, width, 1, rows, VL, count);
    pack_strip(b, dout + p0, width, 1, rows, VL, count);
    for (long p = 0; p < count; p++) sums = multiply_add(load(a + p * VL), load(b + p * VL), sums);
  }
  store(dots, sums);
}

// One head of one sample.
static void do_backward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  long head = unit % job->heads, sample = unit / job->heads, row = 3 * job->width, width = job->width;
  long head_width = job->head_width, tokens = job->tokens;
  long at = sample * tokens * row + head * head_width, out_at = sample * tokens * width + head * head_width;
  const float *saved = job->saved + unit * tokens * 2;
  float *scratch = scratch_of(context, thread), *scores = scratch + GEMM_SCRATCH, *dscores = scores + SCORES;
  float *dots = dscores + SCORES;

  for (long k0 = 0; k0 < tokens; k0 += KEYS) {
    long keys = min_long(KEYS, tokens - k0);
    const float *k = job->qkv + at + k0 * row + width, *v = k + width;
    float *dk = job->result + at + k0 * row + width, *dv = dk + width;
    for (long q0 = 0; q0 < tokens; q0 += QUERIES) {
      long queries = min_long(QUERIES, tokens - q0);
      const float *q = job->qkv + at + q0 * row;
      const float *out = job->out + out_at + q0 * width, *dout = job->dout + out_at + q0 * width;
      float *dq = job->result + at + q0 * row;
      multiply_rows(scratch, q, row, k, row, scores, KEYS, queries, keys, head_width);
      multiply_rows(scratch, dout, width, v, row, dscores, KEYS, queries, keys, head_width);
      for (long i = 0; i < queries; i += VL) {
        int rows = (int)min_long(VL, queries - i);
        dot_rows(scratch, out + i * width, dout + i * width, width, head_width, rows, dots + i);
      }
      for (long i = 0; i < queries; i++) {
        score_gradient(job, scores + i * KEYS, dscores + i * KEYS, keys, saved + 2 * (q0 + i), dots[i]);
      }
      // dv += probabilities^T dout, dk += dscores^T q, dq += dscores k
      gemm_in_place(scratch, scores, KEYS, dout, width, dv, row, keys, head_width, queries, q0 > 0);
      gemm_in_place(scratch, dscores, KEYS, q, row, dk, row, keys, head_width, queries, q0 > 0);
      Gemm g = {.a = dscores, .a_row = KEYS, .a_column = 1, .b = k, .b_row = row, .b_column = 1, .c = dq, .c_row = row};
      g.m = queries, g.n = head_width, g.k = keys, g.accumulate = k0 > 0;
      gemm_local(scratch, &g);
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
