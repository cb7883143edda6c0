// Sums over axes.
#include "context.h"
#include "vec.h"

#define MAX_AXES 6

// Axes that stay and axes that are summed over, outermost first, with the distance in x from one index to the next.
typedef struct {
  const float *x;
  float *out, *partial;
  int kept, reduced;
  long kept_shape[MAX_AXES], kept_step[MAX_AXES];
  long reduced_shape[MAX_AXES], reduced_step[MAX_AXES];
  long outer;  // product of the reduced extents but for the last
  long columns, blocks;
} Sum;

static long offset_of(long index, int axes, const long *shape, const long *step) {
  long offset = 0;
  for (int axis = axes - 1; axis >= 0; axis--) {
    offset += index % shape[axis] * step[axis];
    index /= shape[axis];
  }
  return offset;
}

// Sum of contiguous numbers: stretches of 1024 in vectors, whose sums are added in order.
static float sum_range(const float *x, long count) {
  float total = 0.0f;
  for (long begin = 0; begin < count; begin += 1024) {
    long end = min_long(begin + 1024, count), i = begin;
    vf sums[4] = {splat(0.0f), splat(0.0f), splat(0.0f), splat(0.0f)};
    for (; i + 4 * VL <= end; i += 4 * VL) {
      for (int j = 0; j < 4; j++) sums[j] += load(x + i + j * VL);
    }
    for (; i + VL <= end; i += VL) sums[0] += load(x + i);
    if (i < end) sums[1] += load_part(x + i, (int)(end - i), 0.0f);
    total += sum_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
  }
  return total;
}

// The last axis is summed over: one output a unit.
static void sum_inner(Context *context, const void *data, long unit, int thread) {
  const Sum *job = data;
  (void)context, (void)thread;
  const float *x = job->x + offset_of(unit, job->kept, job->kept_shape, job->kept_step);
  long width = job->reduced_shape[job->reduced - 1];
  float total = 0.0f;
  for (long outer = 0; outer < job->outer; outer++) {
    total += sum_range(x + offset_of(outer, job->reduced - 1, job->reduced_shape, job->reduced_step), width);
  }
  job->out[unit] = total;
}

// The same where everything is summed to one number: one partial sum a unit.
static void sum_chunk(Context *context, const void *data, long unit, int thread) {
  const Sum *job = data;
  (void)context, (void)thread;
  long begin = unit * CHUNK;
  job->partial[unit] = sum_range(job->x + begin, min_long(CHUNK, job->columns - begin));
}

// The last axis stays: a unit owns a block of columns, over which it adds row after row.
#define COLUMNS 64L

static void sum_columns(Context *context, const void *data, long unit, int thread) {
  const Sum *job = data;
  (void)context, (void)thread;
  long row = unit / job->blocks, begin = unit % job->blocks * COLUMNS;
  long length = min_long(COLUMNS, job->columns - begin);
  const float *x = job->x + offset_of(row, job->kept - 1, job->kept_shape, job->kept_step) + begin;
  float *out = job->out + row * job->columns + begin;
  long count = job->outer * job->reduced_shape[job->reduced - 1];
  float sums[COLUMNS] = {0};
  for (long r = 0; r < count; r++) {
    const float *from = x + offset_of(r, job->reduced, job->reduced_shape, job->reduced_step);
    long i = 0;
    for (; i + VL <= length; i += VL) store(sums + i, load(sums + i) + load(from + i));
    for (; i < length; i++) sums[i] += from[i];
  }
  for (long i = 0; i < length; i++) out[i] = sums[i];
}

// x, out, number of kept axes, of reduced axes, then shape and steps of the kept and of the reduced ones; at least one of
// each, and the last axis of x is the last of one of them
KERNEL(sum) {
  Sum job = {.x = FLOATS(0), .out = FLOATS(1), .kept = (int)LONG(2), .reduced = (int)LONG(3)};
  int at = 4;
  for (int i = 0; i < job.kept; i++) job.kept_shape[i] = LONG(at++);
  for (int i = 0; i < job.kept; i++) job.kept_step[i] = LONG(at++);
  for (int i = 0; i < job.reduced; i++) job.reduced_shape[i] = LONG(at++);
  for (int i = 0; i < job.reduced; i++) job.reduced_step[i] = LONG(at++);
  long outputs = 1;
  for (int i = 0; i < job.kept; i++) outputs *= job.kept_shape[i];
  job.outer = 1;
  for (int i = 0; i < job.reduced - 1; i++) job.outer *= job.reduced_shape[i];
  long width = job.reduced_shape[job.reduced - 1];

  if (job.reduced_step[job.reduced - 1] != 1) {
    job.columns = job.kept_shape[job.kept - 1];
    job.blocks = ceil_div(job.columns, COLUMNS);
    return parallel(context, sum_columns, &job, outputs / job.columns * job.blocks);
  }
  long chunks = ceil_div(width, CHUNK);
  if (outputs > 1 || job.outer > 1 || chunks > PANEL_FLOATS) return parallel(context, sum_inner, &job, outputs);
  job.columns = width;
  job.partial = context->panels;
  int lost = parallel(context, sum_chunk, &job, chunks);
  *job.out = sum_range(job.partial, chunks);
  return lost;
}
