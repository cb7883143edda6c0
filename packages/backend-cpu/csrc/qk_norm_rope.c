// What is done to queries and keys before their product: an RMS norm over each head, then a rotation of each pair of channels by the
// place of the token. Values are copied.
#include "context.h"
#include "functions.h"

typedef struct {
  const float *qkv, *dout;
  float *out;              // or dqkv
  const float *weights[2];  // of queries and keys, [head_width]; null without a norm
  const float *cosines, *sines;  // [tokens, head_width]; null without a rotation
  float *saved;            // 1 / sqrt(mean(x^2) + epsilon), [rows, 2, heads]
  float *parts;            // [units, 2, head_width]: gradients of the weights from the rows of each unit
  float *dweights[2];
  long rows, tokens, heads, width, head_width;
  float epsilon;
} Job;

#define ROWS 16L

// Rotates a head: (x[2i], x[2i + 1]) becomes (x[2i] cos - x[2i + 1] sin, x[2i + 1] cos + x[2i] sin). With `is_back` it is turned back.
INLINE vf turn(vf x, vf cosine, vf sine, int is_back) {
  vf sign;
  for (int i = 0; i < VL; i++) sign[i] = (i & 1) == is_back ? -1.0f : 1.0f;
  // Turning back, the sine is that of the other channel, with which it goes.
  return is_back ? x * cosine + sign * swap_pairs(x * sine) : x * cosine + (sign * swap_pairs(x)) * sine;
}

// One head of a row, forward. `lanes` is VL but for the last.
INLINE void forward_lanes(const float *from, float *to, const float *weight, vf factor, const float *cosines,
                          const float *sines, long i, int lanes) {
  int is_whole = lanes == VL;
  vf x = is_whole ? load(from + i) : load_part(from + i, lanes, 0.0f);
  if (weight) x = (x * factor) * (is_whole ? load(weight + i) : load_part(weight + i, lanes, 0.0f));
  if (cosines) {
    vf cosine = is_whole ? load(cosines + i) : load_part(cosines + i, lanes, 0.0f);
    vf sine = is_whole ? load(sines + i) : load_part(sines + i, lanes, 0.0f);
    x = turn(x, cosine, sine, 0);
  }
  if (is_whole) store(to + i, x);
  else store_part(to + i, x, lanes);
}

static float inverse_of(const Job *job, const float *x) {
  long width = job->head_width, i = 0;
  vf sum = splat(0.0f);
  for (; i + VL <= width; i += VL) sum += load(x + i) * load(x + i);
  vf tail = load_part(x + i, (int)(width - i), 0.0f);
  return 1.0f / __builtin_sqrtf(sum_lanes(sum + tail * tail) / (float)width + job->epsilon);
}

INLINE void copy_row(float *to, const float *from, long length) {
  long i = 0;
  for (; i + VL <= length; i += VL) store(to + i, load(from + i));
  for (; i < length; i++) to[i] = from[i];
}

static void do_forward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long width = job->head_width, whole = width / VL * VL, last = min_long((unit + 1) * ROWS, job->rows);
  for (long row = unit * ROWS; row < last; row++) {
    const float *from = job->qkv + row * 3 * job->width;
    float *to = job->out + row * 3 * job->width;
    long place = row % job->tokens * width;
    const float *cosines = job->cosines ? job->cosines + place : 0, *sines = job->cosines ? job->sines + place : 0;
    for (long head = 0; head < 2 * job->heads; head++, from += width, to += width) {
      const float *weight = job->weights[head / job->heads];
      float inverse = weight ? inverse_of(job, from) : 1.0f;
      if (weight && job->saved) job->saved[row * 2 * job->heads + head] = inverse;
      vf factor = splat(inverse);
      for (long i = 0; i < whole; i += VL) forward_lanes(from, to, weight, factor, cosines, sines, i, VL);
      if (whole < width) forward_lanes(from, to, weight, factor, cosines, sines, whole, (int)(width - whole));
    }
    copy_row(to, from, job->width);
  }
}

static void read_sizes(Context *context, Job *job, int i) {
  job->rows = LONG(i) * LONG(i + 1), job->tokens = LONG(i + 1), job->heads = LONG(i + 2), job->width = LONG(i + 3);
  job->head_width = job->width / job->heads;
}

// qkv, weight of q or 0, weight of k or 0, cosines or 0, sines or 0, out, saved or 0, batch, tokens, heads, width (of all heads), epsilon
KERNEL(qk_norm_rope) {
  Job job = {.qkv = FLOATS(0), .weights = {FLOATS(1), FLOATS(2)}, .cosines = FLOATS(3), .sines = FLOATS(4), .out = FLOATS(5)};
  job.saved = FLOATS(6);
  read_sizes(context, &job, 7);
  job.epsilon = NUMBER(11);
  return parallel(context, do_forward, &job, ceil_div(job.rows, ROWS));
}

// Gradient of what the rotation was given.
INLINE vf before_turn(const float *dout, const float *cosines, const float *sines, long i, int lanes) {
  int is_whole = lanes == VL;
  vf d = is_whole ? load(dout + i) : load_part(dout + i, lanes, 0.0f);
  if (!cosines) return d;
  vf cosine = is_whole ? load(cosines + i) : load_part(cosines + i, lanes, 0.0f);
  vf sine = is_whole ? load(sines + i) : load_part(sines + i, lanes, 0.0f);
  return turn(d, cosine, sine, 1);
}

// With n the normalised head, d the gradient before the rotation and g = d weight: dx = (g - n mean(g n)) inverse, and the weight's
// gradient grows by d n.
INLINE void head_gradient(const Job *job, const float *x, const float *dout, float *dx, const float *weight, float *dweight,
                          float inverse, const float *cosines, const float *sines) {
  long width = job->head_width, whole = width / VL * VL;
  int rest = (int)(width - whole);
  vf factor = splat(inverse), sum = splat(0.0f);
  for (long i = 0; i < whole; i += VL) {
    vf d = before_turn(dout, cosines, sines, i, VL), dn = d * (load(x + i) * factor);
    store(dweight + i, load(dweight + i) + dn);
    store(dx + i, d);
    sum += dn * load(weight + i);
  }
  vf tail = splat(0.0f), tail_weight = splat(0.0f), tail_n = splat(0.0f);
  if (rest > 0) {
    tail = before_turn(dout, cosines, sines, whole, rest), tail_n = load_part(x + whole, rest, 0.0f) * factor;
    tail_weight = load_part(weight + whole, rest, 0.0f);
    vf dn = tail * tail_n;
    store_part(dweight + whole, load_part(dweight + whole, rest, 0.0f) + dn, rest);
    sum += dn * tail_weight;
  }
  vf mean = splat(sum_lanes(sum) / (float)width);
  for (long i = 0; i < whole; i += VL) {
    store(dx + i, (load(dx + i) * load(weight + i) - (load(x + i) * factor) * mean) * factor);
  }
  if (rest > 0) store_part(dx + whole, (tail * tail_weight - tail_n * mean) * factor, rest);
}

static void do_backward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long width = job->head_width, whole = width / VL * VL, last = min_long((unit + 1) * ROWS, job->rows);
  float *parts = job->parts + unit * 2 * width;
  if (job->weights[0]) {
    for (long i = 0; i < 2 * width; i++) parts[i] = 0.0f;
  }
  for (long row = unit * ROWS; row < last; row++) {
    const float *x = job->qkv + row * 3 * job->width, *dout = job->dout + row * 3 * job->width;
    float *dx = job->out + row * 3 * job->width;
    long place = row % job->tokens * width;
    const float *cosines = job->cosines ? job->cosines + place : 0, *sines = job->cosines ? job->sines + place : 0;
    for (long head = 0; head < 2 * job->heads; head++, x += width, dout += width, dx += width) {
      long which = head / job->heads;
      if (job->weights[which]) {
        head_gradient(job, x, dout, dx, job->weights[which], parts + which * width, job->saved[row * 2 * job->heads + head],
                      cosines, sines);
        continue;
      }
      for (long i = 0; i < whole; i += VL) store(dx + i, before_turn(dout, cosines, sines, i, VL));
      int rest = (int)(width - whole);
      if (rest > 0) store_part(dx + whole, before_turn(dout, cosines, sines, whole, rest), rest);
    }
    copy_row(dx, dout, job->width);
  }
}

// The parts of all units, one after the other, for queries or for keys.
static void do_weights(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long width = job->head_width, units = ceil_div(job->rows, ROWS);
  for (long i = 0; i < width; i++) {
    float sum = 0.0f;
    for (long part = 0; part < units; part++) sum += job->parts[(2 * part + unit) * width + i];
    job->dweights[unit][i] = sum;
  }
}

// qkv, weight of q or 0, weight of k or 0, cosines or 0, sines or 0, saved, dout, dqkv, gradients of both weights or 0, parts or 0, batch,
// tokens, heads, width (of all heads)
// parts [ceil(batch tokens / 16), 2, head width] is room for this kernel alone.
KERNEL(qk_norm_rope_backward) {
  Job job = {.qkv = FLOATS(0), .weights = {FLOATS(1), FLOATS(2)}, .cosines = FLOATS(3), .sines = FLOATS(4), .saved = FLOATS(5)};
  job.dout = FLOATS(6), job.out = FLOATS(7), job.dweights[0] = FLOATS(8), job.dweights[1] = FLOATS(9), job.parts = FLOATS(10);
  read_sizes(context, &job, 11);
  int lost = parallel(context, do_backward, &job, ceil_div(job.rows, ROWS));
  return job.weights[0] ? lost | parallel(context, do_weights, &job, 2) : lost;
}
