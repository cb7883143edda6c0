// The gate of a SwiGLU layer: out = silu(a) b for rows [a, b].
#include "context.h"
#include "functions.h"

typedef struct {
  const float *x, *dout;
  float *out;  // or dx
  long rows, half;
} Job;

// Rows that one unit has: about CHUNK elements.
static long rows_of_unit(const Job *job) { return max_long(1, CHUNK / max_long(1, job->half)); }

static void do_forward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long half = job->half, step = rows_of_unit(job), last = min_long((unit + 1) * step, job->rows);
  int rest = (int)(half % VL);
  long whole = half - rest;
  for (long row = unit * step; row < last; row++) {
    const float *a = job->x + row * 2 * half, *b = a + half;
    float *out = job->out + row * half;
    for (long i = 0; i < whole; i += VL) store(out + i, silu_vf(load(a + i)) * load(b + i));
    if (rest > 0) store_part(out + whole, silu_vf(load_part(a + whole, rest, 0.0f)) * load_part(b + whole, rest, 0.0f), rest);
  }
}

// x, out, rows, width of out
KERNEL(swiglu) {
  Job job = {.x = FLOATS(0), .out = FLOATS(1), .rows = LONG(2), .half = LONG(3)};
  return parallel(context, do_forward, &job, ceil_div(job.rows, rows_of_unit(&job)));
}

// With s = sigmoid(a): da = dout b s (1 + a (1 - s)), db = dout a s
INLINE void slopes(vf a, vf b, vf dout, vf *da, vf *db) {
  vf s = sigmoid_vf(a), one = splat(1.0f);
  *da = dout * b * (s * (one + a * (one - s)));
  *db = dout * (a * s);
}

static void do_backward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long half = job->half, step = rows_of_unit(job), last = min_long((unit + 1) * step, job->rows);
  int rest = (int)(half % VL);
  long whole = half - rest;
  vf da, db;
  for (long row = unit * step; row < last; row++) {
    const float *a = job->x + row * 2 * half, *b = a + half, *dout = job->dout + row * half;
    float *to = job->out + row * 2 * half;
    for (long i = 0; i < whole; i += VL) {
      slopes(load(a + i), load(b + i), load(dout + i), &da, &db);
      store(to + i, da), store(to + half + i, db);
    }
    if (rest > 0) {
      slopes(load_part(a + whole, rest, 0.0f), load_part(b + whole, rest, 0.0f), load_part(dout + whole, rest, 0.0f), &da, &db);
      store_part(to + whole, da, rest), store_part(to + half + whole, db, rest);
    }
  }
}

// x, dout, dx, rows, width of dout
KERNEL(swiglu_backward) {
  Job job = {.x = FLOATS(0), .dout = FLOATS(1), .out = FLOATS(2), .rows = LONG(3), .half = LONG(4)};
  return parallel(context, do_backward, &job, ceil_div(job.rows, rows_of_unit(&job)));
}
