// Softmax over rows and its gradient.
#include "context.h"
#include "functions.h"

typedef struct {
  const float *x, *y;
  float *out;
  long rows, width, rows_per_unit;
} Job;

static void do_softmax(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long width = job->width, last = min_long((unit + 1) * job->rows_per_unit, job->rows);
  for (long row = unit * job->rows_per_unit; row < last; row++) {
    const float *x = job->x + row * width;
    float *out = job->out + row * width;
    int rest = (int)(width % VL);
    long whole = width - rest;
    vf largest = load_part(x + whole, rest, -__builtin_inff());
    for (long i = 0; i < whole; i += VL) largest = max_vf(load(x + i), largest);
    vf top = splat(max_lanes(largest)), sums = splat(0.0f);
    for (long i = 0; i < whole; i += VL) {
      vf e = exp_vf(load(x + i) - top);
      sums += e;
      store(out + i, e);
    }
    vf tail = exp_vf(load_part(x + whole, rest, -__builtin_inff()) - top);
    sums += tail;
    vf factor = splat(1.0f / sum_lanes(sums));
    for (long i = 0; i < whole; i += VL) store(out + i, load(out + i) * factor);
    store_part(out + whole, tail * factor, rest);
  }
}

static void do_softmax_backward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long width = job->width, last = min_long((unit + 1) * job->rows_per_unit, job->rows);
  for (long row = unit * job->rows_per_unit; row < last; row++) {
    const float *y = job->x + row * width, *dy = job->y + row * width;
    float *dx = job->out + row * width;
    int rest = (int)(width % VL);
    long whole = width - rest;
    vf y_tail = load_part(y + whole, rest, 0.0f), dy_tail = load_part(dy + whole, rest, 0.0f);
    vf sums = y_tail * dy_tail;
    for (long i = 0; i < whole; i += VL) sums += load(y + i) * load(dy + i);
    vf dot = splat(sum_lanes(sums));
    for (long i = 0; i < whole; i += VL) store(dx + i, load(y + i) * (load(dy + i) - dot));
    store_part(dx + whole, y_tail * (dy_tail - dot), rest);
  }
}

// x, out, rows, width
KERNEL(softmax) {
  Job job = {.x = FLOATS(0), .out = FLOATS(1), .rows = LONG(2), .width = LONG(3)};
  job.rows_per_unit = max_long(1, CHUNK / job.width);
  return parallel(context, do_softmax, &job, ceil_div(job.rows, job.rows_per_unit));
}

// y, dy, dx, rows, width
KERNEL(softmax_backward) {
  Job job = {.x = FLOATS(0), .y = FLOATS(1), .out = FLOATS(2), .rows = LONG(3), .width = LONG(4)};
  job.rows_per_unit = max_long(1, CHUNK / job.width);
  return parallel(context, do_softmax_backward, &job, ceil_div(job.rows, job.rows_per_unit));
}
