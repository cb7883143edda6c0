// Layer norm with scale and shift per sample: out = normalize(x) (1 + scale) + shift, over rows of width D.
#include "context.h"
#include "functions.h"

typedef struct {
  const float *x, *shift, *scale, *dout;
  float *out, *dx, *dshift, *dscale;
  float *saved;  // mean and 1 / sqrt(variance + epsilon) of each row
  long batch, tokens, width;
  float epsilon;
  long row_units, blocks;
} Job;

#define ROWS 16L
#define COLUMNS 64L

// Deviations are taken from the mean before they are squared, so that rows far from 0 lose nothing.
static void normalize_row(const Job *job, long row, float *moments) {
  long width = job->width, sample = row / job->tokens;
  const float *x = job->x + row * width;
  const float *shift = job->shift + sample * width, *scale = job->scale + sample * width;
  float *out = job->out + row * width;
  int rest = (int)(width % VL);
  long whole = width - rest;
  vf a = load_part(x + whole, rest, 0.0f), b = splat(0.0f);
  long i = 0;
  for (; i + 2 * VL <= whole; i += 2 * VL) a += load(x + i), b += load(x + i + VL);
  if (i < whole) b += load(x + i);
  float mean = sum_lanes(a + b) / (float)width;
  vf centre = splat(mean), tail = load_part(x + whole, rest, mean) - centre;
  a = tail * tail, b = splat(0.0f);
  for (i = 0; i + 2 * VL <= whole; i += 2 * VL) {
    vf u = load(x + i) - centre, v = load(x + i + VL) - centre;
    a += u * u, b += v * v;
  }
  if (i < whole) {
    vf u = load(x + i) - centre;
    b += u * u;
  }
  float inverse = 1.0f / __builtin_sqrtf(sum_lanes(a + b) / (float)width + job->epsilon);
  vf factor = splat(inverse), one = splat(1.0f);
  for (i = 0; i < whole; i += VL) {
    store(out + i, ((load(x + i) - centre) * factor) * (load(scale + i) + one) + load(shift + i));
  }
  vf gain = load_part(scale + whole, rest, 0.0f) + one;
  store_part(out + whole, (tail * factor) * gain + load_part(shift + whole, rest, 0.0f), rest);
  moments[0] = mean, moments[1] = inverse;
}

static void do_rows(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long last = min_long((unit + 1) * ROWS, job->batch * job->tokens);
  for (long row = unit * ROWS; row < last; row++) {
    float unwanted[2];
    normalize_row(job, row, job->saved ? job->saved + 2 * row : unwanted);
  }
}

// x, shift, scale, out, saved or 0, batch, tokens, width, epsilon
KERNEL(layer_norm_modulate) {
  Job job = {.x = FLOATS(0), .shift = FLOATS(1), .scale = FLOATS(2), .out = FLOATS(3), .saved = FLOATS(4)};
  job.batch = LONG(5), job.tokens = LONG(6), job.width = LONG(7), job.epsilon = NUMBER(8);
  return parallel(context, do_rows, &job, ceil_div(job.batch * job.tokens, ROWS));
}

// With g = dout (1 + scale) and n the normalised row: dx = (g - mean(g) - n mean(g n)) / sqrt(variance + epsilon)
static void row_gradient(const Job *job, long row) {
  long width = job->width;
  const float *x = job->x + row * width, *dout = job->dout + row * width;
  const float *scale = job->scale + row / job->tokens * width;
  float *dx = job->dx + row * width;
  float mean = job->saved[2 * row];
  vf centre = splat(mean), factor = splat(job->saved[2 * row + 1]), one = splat(1.0f);
  int rest = (int)(width % VL);
  long whole = width - rest;
  vf g_tail = load_part(dout + whole, rest, 0.0f) * (load_part(scale + whole, rest, 0.0f) + one);
  vf n_tail = (load_part(x + whole, rest, mean) - centre) * factor;
  vf g_sum = g_tail, gn_sum = g_tail * n_tail;
  for (long i = 0; i < whole; i += VL) {
    vf g = load(dout + i) * (load(scale + i) + one);
    g_sum += g;
    gn_sum += g * ((load(x + i) - centre) * factor);
  }
  vf g_mean = splat(sum_lanes(g_sum) / (float)width), gn_mean = splat(sum_lanes(gn_sum) / (float)width);
  for (long i = 0; i < whole; i += VL) {
    vf g = load(dout + i) * (load(scale + i) + one), n = (load(x + i) - centre) * factor;
    store(dx + i, (g - g_mean - n * gn_mean) * factor);
  }
  store_part(dx + whole, (g_tail - g_mean - n_tail * gn_mean) * factor, rest);
}

// dshift and dscale of some columns of one sample, token after token
static void column_gradients(const Job *job, long sample, long begin) {
  long width = job->width, length = min_long(COLUMNS, width - begin);
  float dshift[COLUMNS] = {0}, dscale[COLUMNS] = {0};
  for (long row = sample * job->tokens; row < (sample + 1) * job->tokens; row++) {
    const float *x = job->x + row * width + begin, *dout = job->dout + row * width + begin;
    float mean = job->saved[2 * row], factor = job->saved[2 * row + 1];
    long i = 0;
    for (; i + VL <= length; i += VL) {
      vf dy = load(dout + i);
      store(dshift + i, load(dshift + i) + dy);
      store(dscale + i, load(dscale + i) + dy * ((load(x + i) - splat(mean)) * splat(factor)));
    }
    for (; i < length; i++) {
      dshift[i] += dout[i];
      dscale[i] += dout[i] * ((x[i] - mean) * factor);
    }
  }
  for (long i = 0; i < length; i++) {
    job->dshift[sample * width + begin + i] = dshift[i];
    job->dscale[sample * width + begin + i] = dscale[i];
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

// x, scale, saved, dout, dx, dshift, dscale, batch, tokens, width
KERNEL(layer_norm_modulate_backward) {
  Job job = {.x = FLOATS(0), .scale = FLOATS(1), .saved = FLOATS(2), .dout = FLOATS(3)};
  job.dx = FLOATS(4), job.dshift = FLOATS(5), job.dscale = FLOATS(6);
  job.batch = LONG(7), job.tokens = LONG(8), job.width = LONG(9);
  job.row_units = ceil_div(job.batch * job.tokens, ROWS);
  job.blocks = ceil_div(job.width, COLUMNS);
  return parallel(context, do_backward, &job, job.row_units + job.batch * job.blocks);
}
