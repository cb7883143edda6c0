// Kernels that move elements: permute, slice, concat, gather and scatter-add. All elements are 4 bytes wide.
#include "strided.h"
#include "vec.h"

typedef struct {
  const float *x;
  float *out;
  Walk walk;
} Copy;

static void do_copy(Context *context, const void *data, long unit, int thread) {
  const Copy *job = data;
  const Walk *walk = &job->walk;
  (void)context, (void)thread;
  Stretch s;
  begin_unit(walk, unit, &s);
  int last = walk->rank - 1;
  long from_step = walk->strides[0][last], to_step = walk->strides[1][last];
  for (; s.row < s.last_row; s.row++) {
    locate(walk, &s);
    const float *from = job->x + s.offsets[0];
    float *to = job->out + s.offsets[1];
    if (from_step == 1 && to_step == 1) __builtin_memcpy(to, from, (unsigned long)s.length * 4);
    else
      for (long i = 0; i < s.length; i++) to[i * to_step] = from[i * from_step];
  }
}

// x, out, rank, shape of what is copied, strides of x, strides of out
KERNEL(strided_copy) {
  Copy job = {.x = FLOATS(0), .out = FLOATS(1)};
  long units = begin_walk(&job.walk, context, 2, 2);
  return parallel(context, do_copy, &job, units);
}

typedef struct {
  const float *from;
  const int32_t *indices;
  float *to;
  long count, width, rows;
} Rows;

static void do_gather(Context *context, const void *data, long unit, int thread) {
  const Rows *job = data;
  (void)context, (void)thread;
  __builtin_memcpy(job->to + unit * job->width, job->from + job->indices[unit] * job->width,
                   (unsigned long)job->width * 4);
}

// table, indices, out, number of indices, width
KERNEL(gather) {
  Rows job = {.from = FLOATS(0), .indices = INTS(1), .to = FLOATS(2), .count = LONG(3), .width = LONG(4)};
  return parallel(context, do_gather, &job, job.count);
}

// Each unit owns some columns and goes through all updates in order.
#define COLUMNS 256L

static void do_scatter(Context *context, const void *data, long unit, int thread) {
  const Rows *job = data;
  (void)context, (void)thread;
  long begin = unit * COLUMNS, length = min_long(COLUMNS, job->width - begin);
  for (long row = 0; row < job->rows; row++) {
    float *to = job->to + row * job->width + begin;
    for (long i = 0; i < length; i++) to[i] = 0.0f;
  }
  for (long item = 0; item < job->count; item++) {
    float *to = job->to + job->indices[item] * job->width + begin;
    const float *from = job->from + item * job->width + begin;
    for (long i = 0; i < length; i++) to[i] += from[i];
  }
}

// updates, indices, out, number of indices, width, rows of out
KERNEL(scatter_add) {
  Rows job = {.from = FLOATS(0), .indices = INTS(1), .to = FLOATS(2), .count = LONG(3), .width = LONG(4), .rows = LONG(5)};
  return parallel(context, do_scatter, &job, ceil_div(job.width, COLUMNS));
}
