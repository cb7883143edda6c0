// Multi-head attention in blocks, with the softmax carried along (Milakov & Gimelshein 2018; Dao et al. 2022,
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
  const float *q, *k, *v;
  const float *out, *dout;
  float *result;          // out, forward
  float *dq, *dk, *dv;    // laid out as q, k and v
  long q_row, k_row, v_row;  // elements from one token to the next
  float *saved;           // two numbers for each row of scores, [batch, heads, queries, 2]; null where they are not kept
  const int32_t *lengths;  // keys of each sample that count; null where all do
  long num_queries, num_keys, heads, width, head_width;
  long blocks;  // of queries
  float scale;
} Job;

// Keys of a sample that count. WebAssembly has self-attention alone.
#ifdef __wasm__
#define keys_of(job, sample) ((job)->num_keys)
#else
#define keys_of(job, sample) ((job)->lengths ? (job)->lengths[sample] : (job)->num_keys)
#endif

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
  long at = head * job->head_width, q0 = block * QUERIES, queries = min_long(QUERIES, job->num_queries - q0);
  long num_keys = keys_of(job, sample);
  const float *q = job->q + (sample * job->num_queries + q0) * job->q_row + at;
  const float *all_k = job->k + sample * job->num_keys * job->k_row + at;
  const float *all_v = job->v + sample * job->num_keys * job->v_row + at;
  float *out = job->result + (sample * job->num_queries + q0) * job->width + at;
  float *scratch = scratch_of(context, thread), *scores = scratch + GEMM_SCRATCH, *top = scores + SCORES;
  Softmax state = {top, top + QUERIES, top + 2 * QUERIES};
  for (long i = 0; i < QUERIES; i++) state.top[i] = -__builtin_inff(), state.sum[i] = 0.0f;

  for (long k0 = 0; k0 < num_keys; k0 += KEYS) {
    const float *k = all_k + k0 * job->k_row, *v = all_v + k0 * job->v_row;
    long count = min_long(KEYS, num_keys - k0);
    multiply_rows(scratch, k, job->k_row, q, job->q_row, scores, QUERIES, count, queries, job->head_width);
    exp_columns(scores, count, queries, job->scale, &state);
    if (k0 > 0) {
      for (long i = 0; i < queries; i++) scale_row(out + i * job->width, job->head_width, state.shrink[i]);
    }
    // out += probabilities v
    gemm_in_place(scratch, scores, QUERIES, v, job->v_row, out, job->width, queries, job->head_width, count, k0 > 0);
  }
  for (long i = 0; i < queries; i++) {
    float share = 1.0f / state.sum[i];
    scale_row(out + i * job->width, job->head_width, share);
    if (job->saved) {
      float *saved = job->saved + 2 * ((sample * job->heads + head) * job->num_queries + q0 + i);
      saved[0] = state.top[i], saved[1] = share;
    }
  }
}

// Where queries, keys and values stand in qkv [batch, tokens, 3 width].
static void split_qkv(Job *job, const float *qkv, long tokens, long heads, long width) {
  job->q = qkv, job->k = qkv + width, job->v = qkv + 2 * width;
  job->q_row = job->k_row = job->v_row = 3 * width;
  job->num_queries = job->num_keys = tokens, job->heads = heads, job->width = width;
}

static int run_forward(Context *context, Job *job, long batch) {
  job->head_width = job->width / job->heads;
  job->scale = 1.0f / __builtin_sqrtf((float)job->head_width);
  job->blocks = ceil_div(job->num_queries, QUERIES);
  return parallel(context, do_forward, job, batch * job->heads * job->blocks);
}

// qkv, out, saved or 0, batch, tokens, heads, width (of all heads)
KERNEL(attention) {
  Job job = {.result = FLOATS(1), .saved = FLOATS(2)};
  split_qkv(&job, FLOATS(0), LONG(4), LONG(5), LONG(6));
  return run_forward(context, &job, LONG(3));
}

#ifndef __wasm__
// q, k, v, lengths or 0, out, saved or 0, batch, queries, keys, heads, width (of all heads)
// q [batch, queries, width], k and v [batch, keys, width]
KERNEL(cross_attention) {
  Job job = {.q = FLOATS(0), .k = FLOATS(1), .v = FLOATS(2), .lengths = INTS(3), .result = FLOATS(4), .saved = FLOATS(5)};
  job.num_queries = LONG(7), job.num_keys = LONG(8), job.heads = LONG(9), job.width = LONG(10);
  job.q_row = job.k_row = job.v_row = job.width;
  return run_forward(context, &job, LONG(6));
}
#endif

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

#ifndef __wasm__
// Of a head, rows from `begin` to `end`.
static void zero_rows(float *rows, long row, long width, long begin, long end) {
  for (long i = begin; i < end; i++) {
    for (long p = 0; p < width; p++) rows[i * row + p] = 0.0f;
  }
}
#endif

// One head of one sample.
static void do_backward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  long head = unit % job->heads, sample = unit / job->heads, width = job->width, head_width = job->head_width;
  long at = head * head_width, num_keys = keys_of(job, sample);
  long q_at = sample * job->num_queries * job->q_row + at, out_at = sample * job->num_queries * width + at;
  long k_at = sample * job->num_keys * job->k_row + at, v_at = sample * job->num_keys * job->v_row + at;
  const float *saved = job->saved + unit * job->num_queries * 2;
  float *scratch = scratch_of(context, thread), *scores = scratch + GEMM_SCRATCH, *dscores = scores + SCORES;
  float *dots = dscores + SCORES;

  for (long k0 = 0; k0 < num_keys; k0 += KEYS) {
    long keys = min_long(KEYS, num_keys - k0), k_from = k_at + k0 * job->k_row, v_from = v_at + k0 * job->v_row;
    const float *k = job->k + k_from, *v = job->v + v_from;
    float *dk = job->dk + k_from, *dv = job->dv + v_from;
    for (long q0 = 0; q0 < job->num_queries; q0 += QUERIES) {
      long queries = min_long(QUERIES, job->num_queries - q0);
      const float *q = job->q + q_at + q0 * job->q_row;
      const float *out = job->out + out_at + q0 * width, *dout = job->dout + out_at + q0 * width;
      float *dq = job->dq + q_at + q0 * job->q_row;
      multiply_rows(scratch, q, job->q_row, k, job->k_row, scores, KEYS, queries, keys, head_width);
      multiply_rows(scratch, dout, width, v, job->v_row, dscores, KEYS, queries, keys, head_width);
      for (long i = 0; i < queries; i += VL) {
        int rows = (int)min_long(VL, queries - i);
        dot_rows(scratch, out + i * width, dout + i * width, width, head_width, rows, dots + i);
      }
      for (long i = 0; i < queries; i++) {
        score_gradient(job, scores + i * KEYS, dscores + i * KEYS, keys, saved + 2 * (q0 + i), dots[i]);
      }
      // dv += probabilities^T dout, dk += dscores^T q, dq += dscores k
      gemm_in_place(scratch, scores, KEYS, dout, width, dv, job->v_row, keys, head_width, queries, q0 > 0);
      gemm_in_place(scratch, dscores, KEYS, q, job->q_row, dk, job->k_row, keys, head_width, queries, q0 > 0);
      Gemm g = {.a = dscores, .a_row = KEYS, .a_column = 1, .b = k, .b_row = job->k_row, .b_column = 1, .c = dq};
      g.c_row = job->q_row, g.m = queries, g.n = head_width, g.k = keys, g.accumulate = k0 > 0;
      gemm_local(scratch, &g);
    }
  }
#ifndef __wasm__
  zero_rows(job->dk + k_at, job->k_row, head_width, num_keys, job->num_keys);
  zero_rows(job->dv + v_at, job->v_row, head_width, num_keys, job->num_keys);
#endif
}

static int run_backward(Context *context, Job *job, long batch) {
  job->head_width = job->width / job->heads;
  job->scale = 1.0f / __builtin_sqrtf((float)job->head_width);
  return parallel(context, do_backward, job, batch * job->heads);
}

// qkv, out, saved, dout, dqkv, batch, tokens, heads, width (of all heads)
KERNEL(attention_backward) {
  Job job = {.out = FLOATS(1), .saved = FLOATS(2), .dout = FLOATS(3)};
  split_qkv(&job, FLOATS(0), LONG(6), LONG(7), LONG(8));
  job.dq = FLOATS(4), job.dk = job.dq + job.width, job.dv = job.dk + job.width;
  return run_backward(context, &job, LONG(5));
}

#ifndef __wasm__
// q, k, v, lengths or 0, out, saved, dout, dq, dk, dv, batch, queries, keys, heads, width (of all heads)
KERNEL(cross_attention_backward) {
  Job job = {.q = FLOATS(0), .k = FLOATS(1), .v = FLOATS(2), .lengths = INTS(3), .out = FLOATS(4), .saved = FLOATS(5)};
  job.dout = FLOATS(6), job.dq = FLOATS(7), job.dk = FLOATS(8), job.dv = FLOATS(9);
  job.num_queries = LONG(11), job.num_keys = LONG(12), job.heads = LONG(13), job.width = LONG(14);
  job.q_row = job.k_row = job.v_row = job.width;
  return run_backward(context, &job, LONG(10));
}
#endif
