// One AdamW step with an EMA of the result, in the order of operations of `adamw` of @dit/tensor.
#include "context.h"
#include "vec.h"

typedef struct {
  float *parameter, *m, *v, *ema;
  const float *gradient;
  long count;
  float gradient_scale, decay, beta1, one_minus_beta1, beta2, one_minus_beta2;
  float root_factor, epsilon, step_size, ema_decay, one_minus_ema_decay;
} Job;

INLINE void update(const Job *job, vf *p, vf g, vf *m, vf *v, vf *ema) {
  g = g * splat(job->gradient_scale);
  *m = *m * splat(job->beta1) + g * splat(job->one_minus_beta1);
  *v = *v * splat(job->beta2) + (g * g) * splat(job->one_minus_beta2);
  vf denominator = sqrt_vf(*v) * splat(job->root_factor) + splat(job->epsilon);
  *p = *p * splat(job->decay) - splat(job->step_size) * (*m / denominator);
  *ema = *ema * splat(job->ema_decay) + *p * splat(job->one_minus_ema_decay);
}

static void do_adamw(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long i = unit * CHUNK, end = min_long(i + CHUNK, job->count);
  float *ema_out = job->ema;
  for (; i + VL <= end; i += VL) {
    vf p = load(job->parameter + i), m = load(job->m + i), v = load(job->v + i);
    vf ema = ema_out ? load(ema_out + i) : p;
    update(job, &p, load(job->gradient + i), &m, &v, &ema);
    store(job->parameter + i, p), store(job->m + i, m), store(job->v + i, v);
    if (ema_out) store(ema_out + i, ema);
  }
  if (i < end) {
    int rest = (int)(end - i);
    vf p = load_part(job->parameter + i, rest, 0.0f), m = load_part(job->m + i, rest, 0.0f);
    vf v = load_part(job->v + i, rest, 0.0f), ema = ema_out ? load_part(ema_out + i, rest, 0.0f) : p;
    update(job, &p, load_part(job->gradient + i, rest, 0.0f), &m, &v, &ema);
    store_part(job->parameter + i, p, rest), store_part(job->m + i, m, rest), store_part(job->v + i, v, rest);
    if (ema_out) store_part(ema_out + i, ema, rest);
  }
}

// parameter, gradient, m, v, ema or 0, count, gradientScale, 1 - learningRate weightDecay, beta1, 1 - beta1, beta2,
// 1 - beta2, 1 / sqrt(1 - beta2^step), epsilon, learningRate / (1 - beta1^step), emaDecay, 1 - emaDecay
KERNEL(adamw) {
  Job job = {.parameter = FLOATS(0), .gradient = FLOATS(1), .m = FLOATS(2), .v = FLOATS(3), .ema = FLOATS(4)};
  job.count = LONG(5);
  job.gradient_scale = NUMBER(6), job.decay = NUMBER(7);
  job.beta1 = NUMBER(8), job.one_minus_beta1 = NUMBER(9), job.beta2 = NUMBER(10), job.one_minus_beta2 = NUMBER(11);
  job.root_factor = NUMBER(12), job.epsilon = NUMBER(13), job.step_size = NUMBER(14);
  job.ema_decay = NUMBER(15), job.one_minus_ema_decay = NUMBER(16);
  return parallel(context, do_adamw, &job, ceil_div(job.count, CHUNK));
}
