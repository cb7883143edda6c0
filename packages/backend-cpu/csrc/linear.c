// Linear layers with bias and activation, forward and backward.
#include "gemm.h"

// x, weight, bias or 0, out, derivative or 0, rows, inputs, outputs, activation
// derivative [rows, outputs] takes that of the activation, for the backward pass.
KERNEL(linear) {
  long rows = LONG(5), inputs = LONG(6), outputs = LONG(7);
  Gemm g = {.a = FLOATS(0),
            .a_row = inputs,
            .a_column = 1,
            .b = FLOATS(1),
            .b_row = 1,
            .b_column = inputs,
            .c = FLOATS(3),
            .c_row = outputs,
            .m = rows,
            .n = outputs,
            .k = inputs,
            .bias = FLOATS(2),
            .derivative = FLOATS(4),
            .activation = (int)LONG(8)};
  return gemm(context, &g);
}

#ifdef ISA

// x, weight, bias or 0, out, rows, inputs, outputs, activation, half (half.h)
// The weight in half precision, as arrange_columns makes it.
KERNEL(linear_half) {
  long rows = LONG(4), inputs = LONG(5), outputs = LONG(6);
  Gemm g = {.a = FLOATS(0), .a_row = inputs, .a_column = 1, .b_half = HALVES(1), .bias = FLOATS(2), .c = FLOATS(3)};
  g.c_row = outputs, g.m = rows, g.n = outputs, g.k = inputs;
  g.activation = (int)LONG(7), g.half = (int)LONG(8);
  return gemm(context, &g);
}

// from, to, outputs, inputs, is_back
KERNEL(arrange_half) {
  arrange_columns(HALVES(1), HALVES(0), LONG(2), LONG(3), (int)LONG(4));
  return 0;
}

#endif

typedef struct {
  const float *derivative, *dout;
  float *dpre, *dbias;
  long rows, outputs;
} Job;

static void do_product(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long i = unit * CHUNK, end = min_long(i + CHUNK, job->rows * job->outputs);
  for (; i + VL <= end; i += VL) store(job->dpre + i, load(job->dout + i) * load(job->derivative + i));
  for (; i < end; i++) job->dpre[i] = job->dout[i] * job->derivative[i];
}

#define COLUMNS 64L

static void do_bias(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long begin = unit * COLUMNS, length = min_long(COLUMNS, job->outputs - begin);
  float sums[COLUMNS] = {0};
  for (long row = 0; row < job->rows; row++) {
    const float *from = job->dpre + row * job->outputs + begin;
    long i = 0;
    for (; i + VL <= length; i += VL) store(sums + i, load(sums + i) + load(from + i));
    for (; i < length; i++) sums[i] += from[i];
  }
  for (long i = 0; i < length; i++) job->dbias[begin + i] = sums[i];
}

// x, weight, derivative or 0, dout, dpre, dx or 0, dweight or 0, dbias or 0, rows, inputs, outputs
// dpre [rows, outputs] takes dout * derivative; without an activation there is no derivative and dpre is dout.
KERNEL(linear_backward) {
  const float *x = FLOATS(0), *weight = FLOATS(1);
  float *dx = FLOATS(5), *dweight = FLOATS(6);
  long rows = LONG(8), inputs = LONG(9), outputs = LONG(10);
  Job job = {FLOATS(2), FLOATS(3), FLOATS(4), FLOATS(7), rows, outputs};
  int lost = 0;
  if (job.derivative) lost |= parallel(context, do_product, &job, ceil_div(rows * outputs, CHUNK));
  if (job.dbias) lost |= parallel(context, do_bias, &job, ceil_div(outputs, COLUMNS));
  if (dweight) {
    // dweight [outputs, inputs] = dpre^T x
    Gemm g = {.a = job.dpre, .a_row = 1, .a_column = outputs, .b = x, .b_row = inputs, .b_column = 1, .c = dweight};
    g.c_row = inputs, g.m = outputs, g.n = inputs, g.k = rows;
    lost |= gemm(context, &g);
  }
  if (dx) {
    // dx [rows, inputs] = dpre weight
    Gemm g = {.a = job.dpre, .a_row = outputs, .a_column = 1, .b = weight, .b_row = inputs, .b_column = 1, .c = dx};
    g.c_row = inputs, g.m = rows, g.n = inputs, g.k = outputs;
    lost |= gemm(context, &g);
  }
  return lost;
}
