// out = x + gate h with a gate per sample, and the gradients of gate and h.
#include "context.h"
#include "vec.h"

typedef struct {
  const float *x, *gate, *h, *dout;
  float *out, *dgate, *dh;
  long batch, tokens, width;
  long row_units, blocks;
} Job;

#define ROWS 16L
#define COLUMNS 64L

static void do_rows(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long width = job->width, last = min_long((unit + 1) * ROWS, job->batch * job->tokens);
  for (long row = unit * ROWS; row < last; row++) {
    const float *x = job->x + row * width, *h = job->h + row * width, *gate = job->gate + row / job->tokens * width;
    float *out = job->out + row * width;
    long i = 0;
    for (; i + VL <= width; i += VL) store(out + i, load(x + i) + load(gate + i) * load(h + i));
    for (; i < width; i++) out[i] = x[i] + gate[i] * h[i];
  }
}

// x, gate, h, out, batch, tokens, width
KERNEL(gated_residual) {
  Job job = {.x = FLOATS(0), .gate = FLOATS(1), .h = FLOATS(2), .out = FLOATS(3)};
  job.batch = LONG(4), job.tokens = LONG(5), job.width = LONG(6);
  return parallel(context, do_rows, &job, ceil_div(job.batch * job.tokens, ROWS));
}

static void do_backward(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long width = job->width;
  if (unit < job->row_units) {
    long last = min_long((unit + 1) * ROWS, job->batch * job->tokens);
    for (long row = unit * ROWS; row < last; row++) {
      const float *dout = job->dout + row * width, *gate = job->gate + row / job->tokens * width;
      float *dh = job->dh + row * width;
      long i = 0;
      for (; i + VL <= width; i += VL) store(dh + i, load(gate + i) * load(dout + i));
      for (; i < width; i++) dh[i] = gate[i] * dout[i];
    }
    return;
  }
  unit -= job->row_units;
  long sample = unit / job->blocks, begin = unit % job->blocks * COLUMNS, length = min_long(COLUMNS, width - begin);
  float dgate[COLUMNS] = {0};
  for (long row = sample * job->tokens; row < (sample + 1) * job->tokens; row++) {
    const float *h = job->h + row * width + begin, *dout = job->dout + row * width + begin;
    long i = 0;
    for (; i + VL <= length; i += VL) store(dgate + i, load(dgate + i) + load(h + i) * load(dout + i));
    for (; i < length; i++) dgate[i] += h[i] * dout[i];
  }
  for (long i = 0; i < length; i++) job->dgate[sample * width + begin + i] = dgate[i];
}

// gate, h, dout, dgate, dh, batch, tokens, width
KERNEL(gated_residual_backward) {
  Job job = {.gate = FLOATS(0), .h = FLOATS(1), .dout = FLOATS(2), .dgate = FLOATS(3), .dh = FLOATS(4)};
  job.batch = LONG(5), job.tokens = LONG(6), job.width = LONG(7);
  job.row_units = ceil_div(job.batch * job.tokens, ROWS);
  job.blocks = ceil_div(job.width, COLUMNS);
  return parallel(context, do_backward, &job, job.row_units + job.batch * job.blocks);
}
