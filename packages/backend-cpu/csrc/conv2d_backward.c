// Gradients of convolutions as products of matrices: out [O, pixels] = weight [O, K] columns [K, pixels], where a column holds the
// K = C KH KW values that a window sees (im2col). Columns exist for one block of pixels at a time, in a workspace whose size
// the caller bounds. Windows of one pixel need none: there the image itself is the matrix.
#include "gemm.h"
#include "sums.h"

typedef struct {
  const float *x, *weight, *dout;
  float *dx, *dweight, *dbias;
  float *columns;  // [K, block]
  long block;      // pixels
  long batch, channels, height, width, outputs, kernel_height, kernel_width;
  long stride, top, left, out_height, out_width;
  // What is being done now: the image, its part of dx, and pixels p0 .. p1 - 1.
  const float *image;
  float *dimage;
  long p0, p1;
} Job;

static long pixels_of(const Job *job) { return job->out_height * job->out_width; }
static long terms_of(const Job *job) { return job->channels * job->kernel_height * job->kernel_width; }

static int is_plain(const Job *job) {
  return job->kernel_height == 1 && job->kernel_width == 1 && job->stride == 1 && job->top == 0 && job->left == 0 &&
         job->out_height == job->height && job->out_width == job->width;
}

// A run of pixels of one row of the result as one place of the window sees it.
typedef struct {
  long source;       // index of the pixel that the first of them sees, may lie outside
  long first, last;  // those of them that see the image
  long count;
} Run;

// The run from pixel p on, for the place in row u and column v of the window.
INLINE Run run_at(const Job *job, long p, long u, long v) {
  long i = p / job->out_width, j = p % job->out_width, row = job->stride * i + u - job->top;
  Run run = {.count = min_long(job->out_width - j, job->p1 - p)};
  long column = job->stride * j + v - job->left;
  run.source = row * job->width + column;
  run.first = column >= 0 ? 0 : ceil_div(-column, job->stride);
  run.last = column >= job->width ? 0 : ceil_div(job->width - column, job->stride);
  run.first = min_long(run.first, run.count);
  run.last = row < 0 || row >= job->height ? run.first : max_long(run.first, min_long(run.last, run.count));
  return run;
}

// The rows of the columns that belong to one row of the window in one channel.
static void do_gather(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long channel = unit / job->kernel_height, u = unit % job->kernel_height;
  const float *plane = job->image + channel * job->height * job->width;
  for (long v = 0; v < job->kernel_width; v++) {
    float *to = job->columns + (unit * job->kernel_width + v) * job->block;
    for (long p = job->p0; p < job->p1;) {
      Run run = run_at(job, p, u, v);
      long k = 0;
      for (; k < run.first; k++) to[k] = 0.0f;
      const float *from = plane + run.source;
      if (job->stride == 1) {
        for (; k + VL <= run.last; k += VL) store(to + k, load(from + k));
      }
      for (; k < run.last; k++) to[k] = from[k * job->stride];
      for (; k < run.count; k++) to[k] = 0.0f;
      to += run.count, p += run.count;
    }
  }
}

// Adds the gradients of the columns to those of the pixels of one channel.
static void do_scatter(Context *context, const void *data, long channel, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  float *plane = job->dimage + channel * job->height * job->width;
  long places = job->kernel_height * job->kernel_width;
  for (long place = 0; place < places; place++) {
    const float *from = job->columns + (channel * places + place) * job->block;
    for (long p = job->p0; p < job->p1;) {
      Run run = run_at(job, p, place / job->kernel_width, place % job->kernel_width);
      float *to = plane + run.source;
      long k = run.first;
      if (job->stride == 1) {
        for (; k + VL <= run.last; k += VL) store(to + k, load(to + k) + load(from + k));
      }
      for (; k < run.last; k++) to[k * job->stride] += from[k];
      from += run.count, p += run.count;
    }
  }
}

static void do_bias_gradient(Context *context, const void *data, long output, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long pixels = pixels_of(job);
  double sum = 0.0;
  for (long b = 0; b < job->batch; b++) sum += sum_run(job->dout + (b * job->outputs + output) * pixels, pixels);
  job->dbias[output] = (float)sum;
}

static void do_clear(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long size = job->batch * job->channels * job->height * job->width;
  for (long i = unit * CHUNK, end = min_long(i + CHUNK, size); i < end; i++) job->dx[i] = 0.0f;
}

// Takes sample b and the block from pixel p on.
static void move_to(Job *job, long b, long p) {
  long size = job->channels * job->height * job->width;
  job->image = job->x + b * size;
  job->dimage = job->dx ? job->dx + b * size : 0;
  job->p0 = p;
  job->p1 = min_long(p + job->block, pixels_of(job));
}

static int gather(Context *context, const Job *job) {
  return parallel(context, do_gather, job, job->channels * job->kernel_height);
}

// Extents from argument i on.
static void read_extents(Context *context, Job *job, int i) {
  job->block = LONG(i), job->batch = LONG(i + 1), job->channels = LONG(i + 2);
  job->height = LONG(i + 3), job->width = LONG(i + 4), job->outputs = LONG(i + 5);
  job->kernel_height = LONG(i + 6), job->kernel_width = LONG(i + 7);
  job->stride = LONG(i + 8), job->top = LONG(i + 9), job->left = LONG(i + 10);
  job->out_height = LONG(i + 11), job->out_width = LONG(i + 12);
}

// dweight [O, K] (+)= dout [O, pixels] columns^T
static int weight_gradient(Context *context, const Job *job, const float *columns, const float *dout, int accumulate) {
  long terms = terms_of(job);
  Gemm g = {.a = dout, .a_row = pixels_of(job), .a_column = 1, .b = columns, .b_row = 1, .b_column = job->block};
  g.c = job->dweight, g.c_row = terms, g.m = job->outputs, g.n = terms, g.k = job->p1 - job->p0;
  g.accumulate = accumulate;
  return gemm(context, &g);
}

// columns [K, pixels] = weight^T dout
static int column_gradient(Context *context, const Job *job, float *columns, const float *dout) {
  long terms = terms_of(job);
  Gemm g = {.a = job->weight, .a_row = 1, .a_column = terms, .b = dout, .b_row = pixels_of(job), .b_column = 1};
  g.c = columns, g.c_row = job->block, g.m = terms, g.n = job->p1 - job->p0, g.k = job->outputs;
  return gemm(context, &g);
}

// x, weight, dout, dx or 0, dweight or 0, dbias or 0, columns, block, batch, channels, height, width, outputs, kernel height,
// kernel width, stride, top, left, out height, out width; columns [K, block] are not used where windows are single pixels.
KERNEL(conv2d_backward) {
  Job job = {.x = FLOATS(0), .weight = FLOATS(1), .dout = FLOATS(2), .dx = FLOATS(3), .dweight = FLOATS(4)};
  job.dbias = FLOATS(5), job.columns = FLOATS(6);
  read_extents(context, &job, 7);
  long pixels = pixels_of(&job);
  int lost = 0, plain = is_plain(&job);
  if (plain) job.block = pixels;
  if (job.dbias) lost |= parallel(context, do_bias_gradient, &job, job.outputs);
  if (job.dx && !plain) {
    lost |= parallel(context, do_clear, &job, ceil_div(job.batch * job.channels * job.height * job.width, CHUNK));
  }
  for (long b = 0; b < job.batch; b++) {
    for (long p = 0; p < pixels; p += job.block) {
      move_to(&job, b, p);
      const float *dout = job.dout + b * job.outputs * pixels + p;
      if (job.dweight) {
        if (!plain) lost |= gather(context, &job);
        lost |= weight_gradient(context, &job, plain ? job.image : job.columns, dout, b > 0 || p > 0);
      }
      if (job.dx) {
        lost |= column_gradient(context, &job, plain ? job.dimage : job.columns, dout);
        if (!plain) lost |= parallel(context, do_scatter, &job, job.channels);
      }
    }
  }
  return lost;
}
