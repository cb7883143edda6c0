// Multi-head self-attention with products in bf16 (bf16.h), in blocks as attention.c has them. Scores, their maxima, exponentials and
// sums are float32. Scores are kept [key][query], so that exponentials become pairs of keys as they are computed.
#include "gemm.h"
#include "tile.h"

// Heads as wide as this at most; wider ones are computed in float32.
#define MOST_WIDTH 256L
// Rows of a tile: eight divide blocks, twelve waste an eighth.
#define HEIGHT (MR == 12 ? 8 : MR)
#define MOST_KEYS 128L
#define MOST_QUERIES 64L
// There should be about so many units, for threads to share.
#define UNITS 32L
// Blocks of queries of one unit, which share packed keys.
#define MOST_BLOCKS 8L

// Of attention.c.
int PLAIN(kernel_attention)(Context *context);
int PLAIN(kernel_attention_backward)(Context *context);

typedef struct {
  const float *qkv, *out, *dout;
  float *result;  // out forward, dqkv backward
  float *saved;   // of each row of scores the largest, and 1 / sum(e^(score - largest)); null where they are not kept
  long tokens, heads, width, head_width;
  float scale;
  long keys, queries;           // of a block
  long blocks, unit_blocks, units;  // of queries: of a head, of a unit; units of a head
} Job;

static long round_up(long n, long step) { return ceil_div(n, step) * step; }

// Where a thread keeps what it works on, and how many floats that are.
typedef struct {
  float *key_rows, *value_rows, *key_columns, *value_columns;                     // packed keys
  float *query_rows, *dout_rows, *query_columns, *dout_columns, *out_rows;        // packed queries
  float *scores, *dscores, *pairs, *turned;                                       // of a block
  float *top, *share, *dots;                                                      // of each query
} Room;

#define TAKE(name, count) room->name = at, at += (count)

static float *lay_out(Room *room, float *at, long keys, long queries, long width) {
  long tall = keys + 16, wide = round_up(width, 32);
  TAKE(key_rows, tall * STEPS_OF(width)), TAKE(value_rows, tall * STEPS_OF(width));
  TAKE(key_columns, wide * keys), room->value_columns = room->key_columns;
  TAKE(query_rows, queries * STEPS_OF(width)), TAKE(dout_rows, queries * STEPS_OF(width));
  TAKE(query_columns, wide * queries), TAKE(dout_columns, wide * queries), TAKE(out_rows, 32 * width);
  TAKE(scores, tall * queries), TAKE(dscores, tall * queries), TAKE(pairs, tall * queries), TAKE(turned, tall * queries);
  TAKE(top, queries), TAKE(share, queries), TAKE(dots, queries);
  return at;
}

// Sizes of blocks: the largest whose room fits, by the width alone, so that every way of products sums in the same order.
static void choose_blocks(Job *job) {
  long width = round_up(job->head_width, 32);
  job->keys = MOST_KEYS, job->queries = MOST_QUERIES;
  for (;;) {
    long tall = job->keys + 16, queries = job->queries;
    long floats = (2 * tall + job->keys + 4 * queries + 32) * width + 4 * tall * queries + 3 * queries;
    if (floats <= SCRATCH_FLOATS) break;
    if (queries > 32) job->queries /= 2;
    else job->keys /= 2;
  }
}

// Rows of a matrix into strips of `height` rows, along k.
static void pack_rows(float *to, int height, const float *from, long row, long rows, long k) {
  for (long m = 0; m < rows; m += height) {
    pack_strip(to + m * STEPS_OF(k), from + m * row, row, 1, (int)min_long(height, rows - m), height, k);
  }
}

// Its columns into strips of NR, along its k rows.
static void pack_columns(float *to, const float *from, long row, long columns, long k) {
  for (long n = 0; n < columns; n += NR) {
    pack_strip(to + n * STEPS_OF(k), from + n, 1, row, (int)min_long(NR, columns - n), NR, k);
  }
}

// c [m, n] (+)= A B: A in strips of HEIGHT rows, a_strip apart, and their steps a_step; B in strips of NR columns.
static void multiply(const float *a, long a_step, long a_strip, const float *b, long steps, float *c, long c_row, long m,
                     long n, int accumulate) {
  Rounding mode = begin_rounding();
  for (long n0 = 0; n0 < n; n0 += NR) {
    for (long m0 = 0; m0 < m; m0 += HEIGHT) {
      multiply_tile(HEIGHT, a + m0 / HEIGHT * a_strip, a_step, b + n0 * steps, NR, steps, c + m0 * c_row + n0, c_row,
                    (int)min_long(HEIGHT, m - m0), (int)min_long(NR, n - n0), accumulate);
    }
  }
  end_rounding(mode);
}

// scores [keys, queries] of packed rows, in whole tiles: what stands beside them means nothing.
static void multiply_rows(const Job *job, const float *a, const float *b, float *scores, long keys, long queries) {
  long steps = STEPS_OF(job->head_width);
  multiply(a, HEIGHT, HEIGHT * steps, b, steps, scores, job->queries, round_up(keys, HEIGHT), round_up(queries, NR), 0);
}

// What is known of each query after some blocks of keys: the largest score, the sum of e^(scale (score - largest)), and by
// what the last block shrank what was summed before it.
typedef struct {
  float top[MOST_QUERIES], sum[MOST_QUERIES], shrink[MOST_QUERIES];
} Softmax;

// scores [keys, queries] -> pairs of e^(scale (score - largest)), for the queries before `count`, rounded up to whole vectors
static void exp_columns(const Job *job, const float *scores, float *pairs, long keys, long count, Softmax *state) {
  vf factor = splat(job->scale), zero = splat(0.0f);
  long row = job->queries;
  for (long q = 0; q < count; q += VL) {
    vf top = load(state->top + q), largest = top, sum = zero;
    for (long key = 0; key < keys; key++) largest = max_vf(load(scores + key * row + q), largest);
    for (long key = 0; key < keys; key += 2) {
      vf first = exp_vf((load(scores + key * row + q) - largest) * factor), second = zero;
      if (key + 1 < keys) second = exp_vf((load(scores + (key + 1) * row + q) - largest) * factor);
      sum += first, sum += second;
      store_pair(pairs + STEPS_OF(key) * row + q, row, first, second);
    }
    vf shrink = exp_vf((top - largest) * factor);
    store(state->top + q, largest);
    store(state->sum + q, load(state->sum + q) * shrink + sum);
    store(state->shrink + q, shrink);
  }
}

INLINE void scale_row(float *row, long length, float factor) {
  long i = 0;
  for (; i + VL <= length; i += VL) store(row + i, load(row + i) * splat(factor));
  for (; i < length; i++) row[i] *= factor;
}

// Some blocks of queries of one head of one sample.
static void do_forward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  long head = unit / job->units % job->heads, sample = unit / job->units / job->heads;
  long row = 3 * job->width, width = job->head_width, first = unit % job->units * job->unit_blocks;
  long last = min_long(first + job->unit_blocks, job->blocks);
  const float *sample_qkv = job->qkv + sample * job->tokens * row + head * width;
  float *out = job->result + sample * job->tokens * job->width + head * width;
  Softmax states[MOST_BLOCKS];
  for (long i = 0; i < MOST_BLOCKS * MOST_QUERIES; i++) {
    states[i / MOST_QUERIES].top[i % MOST_QUERIES] = -__builtin_inff(), states[i / MOST_QUERIES].sum[i % MOST_QUERIES] = 0.0f;
  }
  Room room;
  lay_out(&room, scratch_of(context, thread), job->keys, job->queries, width);

  for (long k0 = 0; k0 < job->tokens; k0 += job->keys) {
    long keys = min_long(job->keys, job->tokens - k0);
    const float *k = sample_qkv + k0 * row + job->width;
    pack_rows(room.key_rows, HEIGHT, k, row, keys, width);
    pack_columns(room.value_columns, k + job->width, row, width, keys);
    for (long block = first; block < last; block++) {
      long q0 = block * job->queries, queries = min_long(job->queries, job->tokens - q0);
      Softmax *state = states + (block - first);
      float *to = out + q0 * job->width;
      pack_rows(room.query_rows, NR, sample_qkv + q0 * row, row, queries, width);
      multiply_rows(job, room.key_rows, room.query_rows, room.scores, keys, queries);
      exp_columns(job, room.scores, room.pairs, keys, queries, state);
      if (k0 > 0) {
        for (long i = 0; i < queries; i++) scale_row(to + i * job->width, width, state->shrink[i]);
      }
      // out += probabilities v
      multiply(room.pairs, job->queries, HEIGHT, room.value_columns, STEPS_OF(keys), to, job->width, queries, width, k0 > 0);
    }
  }
  for (long q = first * job->queries; q < min_long(last * job->queries, job->tokens); q++) {
    const Softmax *state = states + (q / job->queries - first);
    long i = q % job->queries;
    float share = 1.0f / state->sum[i];
    scale_row(out + q * job->width, width, share);
    if (job->saved) {
      float *saved = job->saved + 2 * ((sample * job->heads + head) * job->tokens + q);
      saved[0] = state->top[i], saved[1] = share;
    }
  }
}

// Reads batch, tokens, heads and the width of all heads from argument i on; returns the batch.
static long read_extents(Context *context, Job *job, int i) {
  job->tokens = LONG(i + 1), job->heads = LONG(i + 2), job->width = LONG(i + 3);
  job->head_width = job->width / job->heads;
  job->scale = 1.0f / __builtin_sqrtf((float)job->head_width);
  return LONG(i);
}

// qkv, out, saved or 0, batch, tokens, heads, width (of all heads)
KERNEL(attention) {
  Job job = {.qkv = FLOATS(0), .result = FLOATS(1), .saved = FLOATS(2)};
  long batch = read_extents(context, &job, 3);
  if (job.head_width > MOST_WIDTH) return PLAIN(kernel_attention)(context);
  choose_blocks(&job);
  job.blocks = ceil_div(job.tokens, job.queries);
  job.unit_blocks = max_long(1, min_long(MOST_BLOCKS, batch * job.heads * job.blocks / UNITS));
  job.units = ceil_div(job.blocks, job.unit_blocks);
  return parallel(context, do_forward, &job, batch * job.heads * job.units);
}

// dots[query] = out[query] . dout[query], of dout as it was rounded and in the order of the micro-kernel: where one key takes all,
// this is then exactly the product of dout with its value, and their difference the 0 that it should be.
static void dot_rows(const Room *room, const float *out, long row, long queries, long width) {
  for (long q = 0; q < queries; q += NR) {
    pack_floats(room->out_rows, out + q * row, row, 1, (int)min_long(NR, queries - q), NR, width);
    for (int lane = 0; lane < NR; lane += VL) {
      const float *steps = room->dout_rows + q * STEPS_OF(width) + lane;
      vf sums = splat(0.0f);
      for (long p = 0; p < width; p += 2) {
        vf first, second;
        load_pair(steps + STEPS_OF(p) * NR, NR, &first, &second);
        if (p + 1 < width) sums = multiply_add(load(room->out_rows + (p + 1) * NR + lane), second, sums);
        sums = multiply_add(load(room->out_rows + p * NR + lane), first, sums);
      }
      store(room->dots + q + lane, sums);
    }
  }
}

// scores -> probabilities, and dprobabilities -> dscores = probabilities (dprobabilities - dot) scale, of these pairs of keys too
static void score_gradients(const Job *job, const Room *room, long keys, long queries) {
  vf scale = splat(job->scale), zero = splat(0.0f);
  long row = job->queries;
  for (long q = 0; q < queries; q += VL) {
    vf top = load(room->top + q), share = load(room->share + q), dot = load(room->dots + q);
    for (long key = 0; key < keys; key += 2) {
      vf d[2] = {zero, zero};
      for (int i = 0; i < 2; i++) {
        if (key + i == keys) break;
        float *score = room->scores + (key + i) * row + q, *dscore = room->dscores + (key + i) * row + q;
        vf p = exp_vf((load(score) - top) * scale) * share;
        d[i] = p * (load(dscore) - dot) * scale;
        store(score, p), store(dscore, d[i]);
      }
      store_pair(room->pairs + STEPS_OF(key) * row + q, row, d[0], d[1]);
    }
  }
}

// to [keys, width] (+)= scores [keys, queries] times packed columns [queries, width]
static void multiply_turned(const Job *job, const Room *room, const float *scores, const float *columns, float *to, long keys,
                            long queries, int accumulate) {
  long steps = STEPS_OF(queries);
  pack_rows(room->turned, HEIGHT, scores, job->queries, keys, queries);
  multiply(room->turned, HEIGHT, HEIGHT * steps, columns, steps, to, 3 * job->width, keys, job->head_width, accumulate);
}

// One head of one sample.
static void do_backward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  long head = unit % job->heads, sample = unit / job->heads, width = job->head_width, row = 3 * job->width;
  long at = sample * job->tokens * row + head * width, out_at = sample * job->tokens * job->width + head * width;
  Room room;
  lay_out(&room, scratch_of(context, thread), job->keys, job->queries, width);

  for (long k0 = 0; k0 < job->tokens; k0 += job->keys) {
    long keys = min_long(job->keys, job->tokens - k0);
    const float *k = job->qkv + at + k0 * row + job->width;
    float *dk = job->result + at + k0 * row + job->width, *dv = dk + job->width;
    pack_rows(room.key_rows, HEIGHT, k, row, keys, width);
    pack_rows(room.value_rows, HEIGHT, k + job->width, row, keys, width);
    pack_columns(room.key_columns, k, row, width, keys);
    for (long q0 = 0; q0 < job->tokens; q0 += job->queries) {
      long queries = min_long(job->queries, job->tokens - q0);
      const float *q = job->qkv + at + q0 * row, *saved = job->saved + 2 * (unit * job->tokens + q0);
      const float *out = job->out + out_at + q0 * job->width, *dout = job->dout + out_at + q0 * job->width;
      for (long i = 0; i < job->queries; i++) {
        room.top[i] = i < queries ? saved[2 * i] : 0.0f, room.share[i] = i < queries ? saved[2 * i + 1] : 0.0f;
      }
      pack_rows(room.query_rows, NR, q, row, queries, width);
      pack_rows(room.dout_rows, NR, dout, job->width, queries, width);
      pack_columns(room.query_columns, q, row, width, queries);
      pack_columns(room.dout_columns, dout, job->width, width, queries);
      multiply_rows(job, room.key_rows, room.query_rows, room.scores, keys, queries);
      multiply_rows(job, room.value_rows, room.dout_rows, room.dscores, keys, queries);
      dot_rows(&room, out, job->width, queries, width);
      score_gradients(job, &room, keys, queries);
      // dv += probabilities^T dout, dk += dscores^T q, dq += dscores k
      multiply_turned(job, &room, room.scores, room.dout_columns, dv, keys, queries, q0 > 0);
      multiply_turned(job, &room, room.dscores, room.query_columns, dk, keys, queries, q0 > 0);
      multiply(room.pairs, job->queries, HEIGHT, room.key_columns, STEPS_OF(keys), job->result + at + q0 * row, row, queries, width,
               k0 > 0);
    }
  }
}

// qkv, out, saved, dout, dqkv, batch, tokens, heads, width (of all heads)
KERNEL(attention_backward) {
  Job job = {.qkv = FLOATS(0), .out = FLOATS(1), .saved = FLOATS(2), .dout = FLOATS(3), .result = FLOATS(4)};
  long batch = read_extents(context, &job, 5);
  if (job.head_width > MOST_WIDTH) return PLAIN(kernel_attention_backward)(context);
  choose_blocks(&job);
  return parallel(context, do_backward, &job, batch * job.heads);
}
