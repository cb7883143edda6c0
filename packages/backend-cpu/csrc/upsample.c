// Images of twice the size, each pixel repeated.
#include "context.h"

typedef struct {
  const float *from;
  float *to;
  long rows, width;  // of the small images
  long unit_rows;
} Job;

static void do_up(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long width = job->width, last = min_long((unit + 1) * job->unit_rows, job->rows);
  for (long row = unit * job->unit_rows; row < last; row++) {
    const float *from = job->from + row * width;
    float *upper = job->to + 4 * row * width, *lower = upper + 2 * width;
    for (long i = 0; i < width; i++) upper[2 * i] = upper[2 * i + 1] = lower[2 * i] = lower[2 * i + 1] = from[i];
  }
}

static void do_down(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long width = job->width, last = min_long((unit + 1) * job->unit_rows, job->rows);
  for (long row = unit * job->unit_rows; row < last; row++) {
    const float *upper = job->from + 4 * row * width, *lower = upper + 2 * width;
    float *to = job->to + row * width;
    for (long i = 0; i < width; i++) to[i] = (upper[2 * i] + upper[2 * i + 1]) + (lower[2 * i] + lower[2 * i + 1]);
  }
}

static int by_rows(Context *context, Unit *unit, const float *from, float *to, long rows, long width) {
  Job job = {from, to, rows, width, max_long(1, CHUNK / max_long(1, 4 * width))};
  return parallel(context, unit, &job, ceil_div(rows, job.unit_rows));
}

// x, out, rows of all images, width
KERNEL(upsample2x) { return by_rows(context, do_up, FLOATS(0), FLOATS(1), LONG(2), LONG(3)); }

// dout, dx, rows and width of dx
KERNEL(upsample2x_backward) { return by_rows(context, do_down, FLOATS(0), FLOATS(1), LONG(2), LONG(3)); }
