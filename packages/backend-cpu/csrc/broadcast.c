// Functions of two or three tensors that are stretched to a common shape.
#include "strided.h"
#include "vec.h"

typedef struct {
  const float *a, *b;
  const int32_t *condition;
  float *out;
  Walk walk;
  int op, is_float_condition;
} Job;

// In the order of `binaryOps` in kernels/elementwise.ts.
enum { ADD, SUB, MUL, DIV, MAXIMUM, MINIMUM, GREATER, LESS, EQUAL };

INLINE vf apply(int op, vf a, vf b) {
  vf one = splat(1.0f);
  switch (op) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    // A NaN on either side gives NaN.
    case MAXIMUM: return select_vf((vi)(a > b) | (vi)(a != a), a, b);
    case MINIMUM: return select_vf((vi)(a < b) | (vi)(a != a), a, b);
    case GREATER: return (vf)((vi)(a > b) & (vi)one);
    case LESS: return (vf)((vi)(a < b) & (vi)one);
    default: return (vf)((vi)(a == b) & (vi)one);
  }
}

// `step` elements between neighbours: 1, 0 for a stretched operand, or any other.
INLINE vf load_step(const float *p, long i, long step, int count) {
  if (step == 1 && count == VL) return load(p + i);
  if (step == 0) return splat(p[0]);
  vf x = splat(1.0f);
  for (int lane = 0; lane < count; lane++) x[lane] = p[(i + lane) * step];
  return x;
}

INLINE void apply_row(int op, const float *a, long a_step, const float *b, long b_step, float *out, long length) {
  long i = 0;
  for (; i + VL <= length; i += VL) store(out + i, apply(op, load_step(a, i, a_step, VL), load_step(b, i, b_step, VL)));
  if (i < length) {
    int rest = (int)(length - i);
    store_part(out + i, apply(op, load_step(a, i, a_step, rest), load_step(b, i, b_step, rest)), rest);
  }
}

INLINE void apply_unit(int op, const Job *job, long unit) {
  const Walk *walk = &job->walk;
  Stretch s;
  begin_unit(walk, unit, &s);
  long a_step = walk->strides[0][walk->rank - 1], b_step = walk->strides[1][walk->rank - 1];
  for (; s.row < s.last_row; s.row++) {
    locate(walk, &s);
    const float *a = job->a + s.offsets[0], *b = job->b + s.offsets[1];
    float *out = job->out + s.row * walk->width + s.start;
    if (a_step == 1 && b_step == 1) apply_row(op, a, 1, b, 1, out, s.length);
    else if (a_step == 1 && b_step == 0) apply_row(op, a, 1, b, 0, out, s.length);
    else if (a_step == 0 && b_step == 1) apply_row(op, a, 0, b, 1, out, s.length);
    else apply_row(op, a, a_step, b, b_step, out, s.length);
  }
}

static void do_binary(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  switch (job->op) {
    case ADD: return apply_unit(ADD, job, unit);
    case SUB: return apply_unit(SUB, job, unit);
    case MUL: return apply_unit(MUL, job, unit);
    case DIV: return apply_unit(DIV, job, unit);
    case MAXIMUM: return apply_unit(MAXIMUM, job, unit);
    case MINIMUM: return apply_unit(MINIMUM, job, unit);
    case GREATER: return apply_unit(GREATER, job, unit);
    case LESS: return apply_unit(LESS, job, unit);
    default: return apply_unit(EQUAL, job, unit);
  }
}

// op, a, b, out, rank, shape, strides of a, strides of b
KERNEL(binary) {
  Job job = {.op = (int)LONG(0), .a = FLOATS(1), .b = FLOATS(2), .out = FLOATS(3)};
  long units = begin_walk(&job.walk, context, 4, 2);
  return parallel(context, do_binary, &job, units);
}

static void do_select(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  const Walk *walk = &job->walk;
  (void)context, (void)thread;
  Stretch s;
  begin_unit(walk, unit, &s);
  int last = walk->rank - 1;
  long c_step = walk->strides[0][last], a_step = walk->strides[1][last], b_step = walk->strides[2][last];
  // Of a float condition the sign is shifted out, so that -0 counts as 0.
  int shift = job->is_float_condition;
  for (; s.row < s.last_row; s.row++) {
    locate(walk, &s);
    const uint32_t *condition = (const uint32_t *)job->condition + s.offsets[0];
    const float *a = job->a + s.offsets[1], *b = job->b + s.offsets[2];
    float *out = job->out + s.row * walk->width + s.start;
    for (long i = 0; i < s.length; i++) {
      out[i] = (condition[i * c_step] << shift) != 0 ? a[i * a_step] : b[i * b_step];
    }
  }
}

// condition, whether it is float, a, b, out, rank, shape, strides of condition, a, b
KERNEL(select) {
  Job job = {.condition = INTS(0), .is_float_condition = (int)LONG(1), .a = FLOATS(2), .b = FLOATS(3), .out = FLOATS(4)};
  long units = begin_walk(&job.walk, context, 5, 3);
  return parallel(context, do_select, &job, units);
}
