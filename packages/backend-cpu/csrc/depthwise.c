// Convolutions with one channel in each group: each result is a plane of its own, which a sum over the places of the window makes
// of a spread image (windows.h).
#include "functions.h"
#include "windows.h"

typedef struct {
  Windows w;
  const float *x, *weight, *bias;
  float *out;
  long batch, channels, outputs;
  int activation;
  long bands, band, planes;  // how the work is cut: rows of results, and planes of them in a unit
} Job;

// Vectors of results computed side by side, so that the additions of one place need not wait for those of another.
#define SIDE (VL == 4 ? 4 : 8)

// results [n] = activation(bias + sum of weights by what the places see), for `vectors` vectors.
INLINE void sum_places(const Job *job, const float *from, const long *offsets, const float *weights, float bias, int vectors,
                       float *to) {
  vf sums[SIDE];
  long places = job->w.window_height * job->w.window_width;
#pragma GCC unroll 8
  for (int i = 0; i < vectors; i++) sums[i] = splat(bias);
  for (long place = 0; place < places; place++) {
    const float *seen = from + offsets[place];
    vf weight = splat(weights[place]);
#pragma GCC unroll 8
    for (int i = 0; i < vectors; i++) sums[i] = multiply_add(weight, load(seen + i * VL), sums[i]);
  }
#pragma GCC unroll 8
  for (int i = 0; i < vectors; i++) store(to + i * VL, relu_vf(job->activation, sums[i]));
}

static void do_band(const Job *job, float *scratch, long plane, long first) {
  const Windows *w = &job->w;
  long rows = min_long(job->band, w->out_height - first), places = w->window_height * w->window_width;
  long output = plane % job->outputs, sample = plane / job->outputs;
  long channel = sample * job->channels + output / (job->outputs / job->channels);
  Spread spread = spread_for(w, rows);
  float *wide = scratch + spread_size(&spread) + VL;
  spread_image(w, &spread, job->x + channel * w->height * w->width, first, 0.0f, scratch);
  long offsets[MOST_PLACES];
  find_places(w, &spread, offsets);
  const float *weights = job->weight + output * places;
  float bias = job->bias ? job->bias[output] : 0.0f;
  long count = (rows - 1) * spread.columns + w->out_width, n = 0;
  for (; n + SIDE * VL <= count; n += SIDE * VL) sum_places(job, scratch + n, offsets, weights, bias, SIDE, wide + n);
  for (; n < count; n += VL) sum_places(job, scratch + n, offsets, weights, bias, 1, wide + n);
  float *out = job->out + (plane * w->out_height + first) * w->out_width;
  for (long i = 0; i < rows; i++) take_every(out + i * w->out_width, wide + i * spread.columns, 1, w->out_width);
}

static void do_unit(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  long all = job->batch * job->outputs, band = unit % job->bands, plane = unit / job->bands * job->planes;
  for (long end = min_long(plane + job->planes, all); plane < end; plane++) {
    do_band(job, scratch_of(context, thread), plane, band * job->band);
  }
}

// x, weight, bias or 0, out, batch, channels, outputs, height, width, kernel height, kernel width, stride, top, left, out height,
// out width, activation. A window has MOST_PLACES at most, and a row of results fits a thread's scratch (rows_in).
KERNEL(depthwise) {
  Job job = {.x = FLOATS(0), .weight = FLOATS(1), .bias = FLOATS(2), .out = FLOATS(3), .batch = LONG(4)};
  job.channels = LONG(5), job.outputs = LONG(6);
  job.w = (Windows){.height = LONG(7), .width = LONG(8), .window_height = LONG(9), .window_width = LONG(10)};
  job.w.stride_height = job.w.stride_width = LONG(11), job.w.top = LONG(12), job.w.left = LONG(13);
  job.w.out_height = LONG(14), job.w.out_width = LONG(15), job.activation = (int)LONG(16);
  job.band = band_rows(&job.w), job.bands = ceil_div(job.w.out_height, job.band), job.planes = planes_together(&job.w);
  return parallel(context, do_unit, &job, ceil_div(job.batch * job.outputs, job.planes) * job.bands);
}
