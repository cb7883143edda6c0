// Root mean square norm with trained scale, and with scale and shift per sample where there are any:
// out = normalize(x) weight (1 + scale) + shift, over rows of width D.
#include "context.h"
#include "functions.h"

typedef struct {
  const float *x, *weight, *shift, *scale, *dout;
  float *out, *dx, *dweight, *dshift, *dscale;
  float *saved;     // 1 / sqrt(mean(x^2) + epsilon) of each row
  float *products;  // of each sample and column the sum of dout normalize(x)
  long batch, tokens, width;
  float epsilon;
  long row_units, blocks;
} Job;

#define ROWS 16L
#define COLUMNS 64L

// weight (1 + scale) of VL columns, or of the last few.
INLINE vf gain_at(const float *weight, const float *scale, long i) {
  return scale ? load(weight + i) * (load(scale + i) + splat(1.0f)) : load(weight + i);
}
INLINE vf gain_part(const float *weight, const float *scale, long i, int count) {
  vf gain = load_part(weight + i, count, 0.0f);
  return scale ? gain * (load_part(scale + i, count, 0.0f) + splat(1.0f)) : gain;
}

static float normalize_row(const Job *job, long row) {
  long width = job->width, sample = row / job->tokens;
  const float *x = job->x + row * width;
  const float *shift = job->shift ? job->shift + sample * width : 0, *scale = job->scale ? job->scale + sample * width : 0;
  float *out = job->out + row * width;
  int rest = (int)(width % VL);
  long whole = width - rest, i = 0;
  vf tail = load_part(x + whole, rest, 0.0f), a = tail * tail, b = splat(0.0f);
  for (; i + 2 * VL <= whole; i += 2 * VL) {
    vf u = load(x + i), v = load(x + i + VL);
    a += u * u, b += v * v;
  }
  if (i < whole) b += load(x + i) * load(x + i);
  float inverse = 1.0f / __builtin_sqrtf(sum_lanes(a + b) / (float)width + job->epsilon);
  vf factor = splat(inverse), zero = splat(0.0f);
  for (i = 0; i < whole; i += VL) {
    store(out + i, (load(x + i) * factor) * gain_at(job->weight, scale, i) + (shift ? load(shift + i) : zero));
  }
  vf offset = shift ? load_part(shift + whole, rest, 0.0f) : zero;
  store_part(out + whole, (tail * factor) * gain_part(job->weight, scale, whole, rest) + offset, rest);
  return inverse;
}

static void do_rows(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long last = min_long((unit + 1) * ROWS, job->batch * job->tokens);
  for (long row = unit * ROWS; row < last; row++) {
    float inverse = normalize_row(job, row);
    if (job->saved) job->saved[row] = inverse;
  }
}

// x, weight, shift or 0, scale or 0, out, saved or 0, batch, tokens, width, epsilon
KERNEL(rms_norm_modulate) {
  Job job = {.x = FLOATS(0), .weight = FLOATS(1), .shift = FLOATS(2), .scale = FLOATS(3), .out = FLOATS(4), .saved = FLOATS(5)};
  job.batch = LONG(6), job.tokens = LONG(7), job.width = LONG(8), job.epsilon = NUMBER(9);
  return parallel(context, do_rows, &job, ceil_div(job.batch * job.tokens, ROWS));
}

// With g = dout weight (1 + scale) and n the normalised row: dx = (g - n mean(g n)) / sqrt(mean(x^2) + epsilon)
static void row_gradient(const Job *job, long row) {
  long width = job->width;
  const float *x = job->x + row * width, *dout = job->dout + row * width;
  const float *scale = job->scale ? job->scale + row / job->tokens * width : 0;
  float *dx = job->dx + row * width;
  vf factor = splat(job->saved[row]);
  int rest = (int)(width % VL);
  long whole = width - rest;
  vf g_tail = load_part(dout + whole, rest, 0.0f) * gain_part(job->weight, scale, whole, rest);
  vf n_tail = load_part(x + whole, rest, 0.0f) * factor;
  vf sum = g_tail * n_tail;
  for (long i = 0; i < whole; i += VL) sum += (load(dout + i) * gain_at(job->weight, scale, i)) * (load(x + i) * factor);
  vf mean = splat(sum_lanes(sum) / (float)width);
  for (long i = 0; i < whole; i += VL) {
    vf g = load(dout + i) * gain_at(job->weight, scale, i), n = load(x + i) * factor;
    store(dx + i, (g - n * mean) * factor);
  }
  store_part(dx + whole, (g_tail - n_tail * mean) * factor, rest);
}

// products, dshift and dscale of some columns of one sample, token after token
static void column_gradients(const Job *job, long sample, long begin) {
  long width = job->width, length = min_long(COLUMNS, width - begin);
  float shifts[COLUMNS] = {0}, products[COLUMNS] = {0};
  for (long row = sample * job->tokens; row < (sample + 1) * job->tokens; row++) {
    const float *x = job->x + row * width + begin, *dout = job->dout + row * width + begin;
    float factor = job->saved[row];
    long i = 0;
    for (; i + VL <= length; i += VL) {
      vf dy = load(dout + i);
      store(shifts + i, load(shifts + i) + dy);
      store(products + i, load(products + i) + dy * (load(x + i) * splat(factor)));
    }
    for (; i < length; i++) {
      shifts[i] += dout[i];
      products[i] += dout[i] * (x[i] * factor);
    }
  }
  for (long i = 0; i < length; i++) {
    long at = sample * width + begin + i;
    job->products[at] = products[i];
    if (job->dshift) job->dshift[at] = shifts[i];
    if (job->dscale) job->dscale[at] = products[i] * job->weight[begin + i];
  }
}

static void do_backward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  if (unit < job->row_units) {
    long last = min_long((unit + 1) * ROWS, job->batch * job->tokens);
    for (long row = unit * ROWS; row < last; row++) row_gradient(job, row);
  } else {
    unit -= job->row_units;
    column_gradients(job, unit / job->blocks, unit % job->blocks * COLUMNS);
  }
}

// dweight of some columns: the sum over samples of (1 + scale) products
static void do_weight(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long width = job->width, end = min_long((unit + 1) * COLUMNS, width);
  for (long i = unit * COLUMNS; i < end; i++) {
    float sum = 0.0f;
    for (long sample = 0; sample < job->batch; sample++) {
      long at = sample * width + i;
      sum += job->scale ? job->products[at] * (job->scale[at] + 1.0f) : job->products[at];
    }
    job->dweight[i] = sum;
  }
}

// x, weight, scale or 0, saved, dout, dx, dweight, dshift or 0, dscale or 0, products, batch, tokens, width
// products [batch, width] is room for this kernel alone.
KERNEL(rms_norm_modulate_backward) {
  Job job = {.x = FLOATS(0), .weight = FLOATS(1), .scale = FLOATS(2), .saved = FLOATS(3), .dout = FLOATS(4)};
  job.dx = FLOATS(5), job.dweight = FLOATS(6), job.dshift = FLOATS(7), job.dscale = FLOATS(8), job.products = FLOATS(9);
  job.batch = LONG(10), job.tokens = LONG(11), job.width = LONG(12);
  job.row_units = ceil_div(job.batch * job.tokens, ROWS);
  job.blocks = ceil_div(job.width, COLUMNS);
  int lost = parallel(context, do_backward, &job, job.row_units + job.batch * job.blocks);
  return lost | parallel(context, do_weight, &job, job.blocks);
}
