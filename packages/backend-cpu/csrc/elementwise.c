// Kernels that work element by element on tensors of one shape.
#include "context.h"
#include "functions.h"
#include "scalar.h"

typedef struct {
  const float *x, *y;
  float *out;
  long count;
  float scale, offset;
} Job;

// Runs BODY, which computes the vector `result` of the vectors `vx` and `vy`, over the elements of a unit.
#define EACH_ELEMENT(READ_Y, BODY)                                     \
  const Job *job = data;                                               \
  long begin = unit * CHUNK, end = min_long(begin + CHUNK, job->count); \
  const float *x = job->x, *y = job->y;                                \
  float *out = job->out;                                               \
  (void)context, (void)thread, (void)y;                                \
  long i = begin;                                                      \
  for (; i + VL <= end; i += VL) {                                     \
    vf vx = load(x + i), vy = READ_Y ? load(y + i) : vx, result;       \
    BODY;                                                              \
    store(out + i, result);                                            \
  }                                                                    \
  if (i < end) {                                                       \
    int rest = (int)(end - i);                                         \
    vf vx = load_part(x + i, rest, 1.0f);                              \
    vf vy = READ_Y ? load_part(y + i, rest, 1.0f) : vx, result;        \
    BODY;                                                              \
    store_part(out + i, result, rest);                                 \
  }

#define UNIT(name, READ_Y, BODY)                                                         \
  static void name(Context *context, const void *data, long unit, int thread) { \
    EACH_ELEMENT(READ_Y, { BODY; (void)vy; })                                            \
  }

#define PER_LANE(EXPRESSION) \
  for (int lane = 0; lane < VL; lane++) { float v = vx[lane]; result[lane] = (EXPRESSION); }

UNIT(do_exp, 0, result = exp_vf(vx))
UNIT(do_log, 0, PER_LANE(log_float(v)))
UNIT(do_sqrt, 0, result = sqrt_vf(vx))
UNIT(do_square, 0, result = vx * vx)
UNIT(do_abs, 0, result = abs_vf(vx))
UNIT(do_tanh, 0, result = tanh_vf(vx))
UNIT(do_sigmoid, 0, result = sigmoid_vf(vx))
UNIT(do_silu, 0, result = silu_vf(vx))
UNIT(do_gelu, 0, result = gelu_vf(vx))
UNIT(do_sin, 0, PER_LANE(sin_float(v)))
UNIT(do_cos, 0, PER_LANE(cos_float(v)))
UNIT(do_relu, 0, result = max_vf(vx, splat(0.0f)))
UNIT(do_relu6, 0, result = min_vf(max_vf(vx, splat(0.0f)), splat(6.0f)))

UNIT(back_exp, 1, result = vy * exp_vf(vx))
UNIT(back_log, 1, result = vy / vx)
UNIT(back_sqrt, 1, result = vy * (splat(0.5f) / sqrt_vf(vx)))
UNIT(back_square, 1, result = vy * (vx + vx))
UNIT(back_abs, 1, {
  vi zero = (vi)(vx != vx) | ~(vi)(vx == splat(0.0f));
  vf sign = (vf)((vi)splat(1.0f) | ((vi)vx & splat_int((int32_t)0x80000000)));
  result = vy * (vf)(zero & (vi)sign);
})
UNIT(back_tanh, 1, vf t = tanh_vf(vx); result = vy * (splat(1.0f) - t * t))
UNIT(back_sigmoid, 1, vf s = sigmoid_vf(vx); result = vy * (s * (splat(1.0f) - s)))
UNIT(back_silu, 1, result = vy * silu_derivative_vf(vx))
UNIT(back_gelu, 1, result = vy * gelu_derivative_vf(vx))
UNIT(back_sin, 1, PER_LANE(cos_float(v)); result = vy * result)
UNIT(back_cos, 1, PER_LANE(sin_float(v)); result = -(vy * result))
UNIT(back_relu, 1, result = select_vf((vi)(vx > splat(0.0f)), vy, splat(0.0f)))
UNIT(back_relu6, 1, result = select_vf((vi)(vx > splat(0.0f)) & (vi)(vx < splat(6.0f)), vy, splat(0.0f)))

// In the order of `unaryOps` in kernels/elementwise.ts.
static Unit *const forward[] = {do_exp,  do_log,  do_sqrt, do_square, do_abs, do_tanh, do_sigmoid,
                                do_silu, do_gelu, do_sin,  do_cos,    do_relu, do_relu6};
static Unit *const backward[] = {back_exp,  back_log,  back_sqrt, back_square, back_abs, back_tanh, back_sigmoid,
                                 back_silu, back_gelu, back_sin,  back_cos,    back_relu, back_relu6};

// op, x, out, count
KERNEL(unary) {
  Job job = {.x = FLOATS(1), .out = FLOATS(2), .count = LONG(3)};
  return parallel(context, forward[LONG(0)], &job, ceil_div(job.count, CHUNK));
}

// op, x, dy, dx, count
KERNEL(unary_backward) {
  Job job = {.x = FLOATS(1), .y = FLOATS(2), .out = FLOATS(3), .count = LONG(4)};
  return parallel(context, backward[LONG(0)], &job, ceil_div(job.count, CHUNK));
}

UNIT(do_affine, 0, result = splat(job->scale) * vx + splat(job->offset))

// x, out, count, scale, offset
KERNEL(affine) {
  Job job = {.x = FLOATS(0), .out = FLOATS(1), .count = LONG(2), .scale = NUMBER(3), .offset = NUMBER(4)};
  return parallel(context, do_affine, &job, ceil_div(job.count, CHUNK));
}

UNIT(do_accumulate, 1, result = vx + splat(job->scale) * vy)

// x, y, count, scale
KERNEL(accumulate) {
  Job job = {.x = FLOATS(0), .y = FLOATS(1), .out = FLOATS(0), .count = LONG(2), .scale = NUMBER(3)};
  return parallel(context, do_accumulate, &job, ceil_div(job.count, CHUNK));
}

UNIT(do_copy, 0, result = vx)

// x, out, count: 4-byte elements of any kind
KERNEL(copy) {
  Job job = {.x = FLOATS(0), .out = FLOATS(1), .count = LONG(2)};
  return parallel(context, do_copy, &job, ceil_div(job.count, CHUNK));
}

static void do_fill(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long end = min_long((unit + 1) * CHUNK, job->count);
  for (long i = unit * CHUNK; i < end; i++) job->out[i] = job->scale;
}

// out, count, value
KERNEL(fill) {
  Job job = {.out = FLOATS(0), .count = LONG(1), .scale = NUMBER(2)};
  return parallel(context, do_fill, &job, ceil_div(job.count, CHUNK));
}

// out, count, value
KERNEL(fill_int) {
  int32_t *out = INTS(0), value = (int32_t)DOUBLE(2);
  long count = LONG(1);
  for (long i = 0; i < count; i++) out[i] = value;
  return 0;
}

// x, out, count: towards zero; beyond the range of i32 the nearest end, of NaN 0
KERNEL(float_to_int) {
  const float *x = FLOATS(0);
  int32_t *out = INTS(1);
  long count = LONG(2);
  for (long i = 0; i < count; i++) {
    float v = x[i];
    out[i] = v != v ? 0 : v >= 2147483648.0f ? INT32_MAX : v <= -2147483648.0f ? INT32_MIN : (int32_t)v;
  }
  return 0;
}

// x, out, count
KERNEL(int_to_float) {
  const int32_t *x = INTS(0);
  float *out = FLOATS(1);
  long count = LONG(2);
  for (long i = 0; i < count; i++) out[i] = (float)x[i];
  return 0;
}
