// Group norm with a gain and an offset per channel, and SiLU: out = silu(normalize(x) weight + bias), over groups of
// consecutive channels of a sample, which lie one after the other in memory.
#include "context.h"
#include "functions.h"
#include "sums.h"

typedef struct {
  const float *x, *weight, *bias, *dout;
  float *out, *dx, *dweight, *dbias;
  float *saved;  // mean and 1 / sqrt(variance + epsilon) of each group
  float *sums;   // of dpre and dpre n, for each channel of each sample
  long batch, channels, pixels, groups;
  float epsilon;
  int activation;
} Job;

static void do_group(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long group_channels = job->channels / job->groups, size = group_channels * job->pixels;
  const float *x = job->x + unit * size;
  float mean = (float)(sum_run(x, size) / (double)size);
  double variance = sum_squares_run(x, size, mean) / (double)size;
  float inverse = (float)(1.0 / __builtin_sqrt(variance + (double)job->epsilon));
  if (job->saved) job->saved[2 * unit] = mean, job->saved[2 * unit + 1] = inverse;
  vf centre = splat(mean);
  for (long c = 0; c < group_channels; c++) {
    long channel = unit % job->groups * group_channels + c, i = 0;
    vf gain = splat(inverse * job->weight[channel]), offset = splat(job->bias[channel]);
    const float *from = x + c * job->pixels;
    float *to = job->out + unit * size + c * job->pixels;
    for (; i + VL <= job->pixels; i += VL) {
      store(to + i, activation_vf(job->activation, (load(from + i) - centre) * gain + offset));
    }
    int rest = (int)(job->pixels - i);
    if (rest > 0) {
      vf tail = (load_part(from + i, rest, mean) - centre) * gain + offset;
      store_part(to + i, activation_vf(job->activation, tail), rest);
    }
  }
}

// x, weight, bias, out, saved or 0, batch, channels, pixels, groups, epsilon, activation
KERNEL(group_norm) {
  Job job = {.x = FLOATS(0), .weight = FLOATS(1), .bias = FLOATS(2), .out = FLOATS(3), .saved = FLOATS(4)};
  job.batch = LONG(5), job.channels = LONG(6), job.pixels = LONG(7), job.groups = LONG(8);
  job.epsilon = NUMBER(9), job.activation = (int)LONG(10);
  return parallel(context, do_group, &job, job.batch * job.groups);
}

// Up to VL pixels of a channel: the normalised values n, and dpre = dout activation'(n weight + bias).
typedef struct {
  vf n, dpre;
} Slopes;

INLINE Slopes slopes_at(const Job *job, vf x, vf dout, float mean, float inverse, long channel) {
  vf n = (x - splat(mean)) * splat(inverse);
  vf pre = n * splat(job->weight[channel]) + splat(job->bias[channel]);
  return (Slopes){n, dout * activation_derivative_vf(job->activation, pre)};
}

// Adds dpre and dpre n over the pixels of a channel.
static void channel_sums(const Job *job, const float *x, const float *dout, float mean, float inverse, long channel,
                         double *sums) {
  sums[0] = sums[1] = 0.0;
  for (long begin = 0; begin < job->pixels; begin += STRETCH) {
    long end = min_long(begin + STRETCH, job->pixels), i = begin;
    vf first = splat(0.0f), second = splat(0.0f);
    for (; i + VL <= end; i += VL) {
      Slopes s = slopes_at(job, load(x + i), load(dout + i), mean, inverse, channel);
      first += s.dpre, second += s.dpre * s.n;
    }
    int rest = (int)(end - i);
    if (rest > 0) {
      Slopes s = slopes_at(job, load_part(x + i, rest, mean), load_part(dout + i, rest, 0.0f), mean, inverse, channel);
      first += s.dpre, second += s.dpre * s.n;
    }
    sums[0] += (double)sum_lanes(first), sums[1] += (double)sum_lanes(second);
  }
}

// With g = dpre weight: dx = (g - mean(g) - n mean(g n)) / sqrt(variance + epsilon), means over the group
static void do_gradient(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long group_channels = job->channels / job->groups, size = group_channels * job->pixels;
  long sample = unit / job->groups, first = unit % job->groups * group_channels;
  const float *x = job->x + unit * size, *dout = job->dout + unit * size;
  float mean = job->saved[2 * unit], inverse = job->saved[2 * unit + 1];
  double g_sum = 0.0, gn_sum = 0.0;
  for (long c = 0; c < group_channels; c++) {
    double sums[2];
    channel_sums(job, x + c * job->pixels, dout + c * job->pixels, mean, inverse, first + c, sums);
    float *to = job->sums + 2 * (sample * job->channels + first + c);
    to[0] = (float)sums[0], to[1] = (float)sums[1];
    g_sum += sums[0] * (double)job->weight[first + c], gn_sum += sums[1] * (double)job->weight[first + c];
  }
  if (!job->dx) return;
  vf g_mean = splat((float)(g_sum / (double)size)), gn_mean = splat((float)(gn_sum / (double)size));
  vf factor = splat(inverse);
  for (long c = 0; c < group_channels; c++) {
    const float *from = x + c * job->pixels, *slope = dout + c * job->pixels;
    float *to = job->dx + unit * size + c * job->pixels;
    vf gain = splat(job->weight[first + c]);
    long i = 0;
    for (; i + VL <= job->pixels; i += VL) {
      Slopes s = slopes_at(job, load(from + i), load(slope + i), mean, inverse, first + c);
      store(to + i, (s.dpre * gain - g_mean - s.n * gn_mean) * factor);
    }
    int rest = (int)(job->pixels - i);
    if (rest > 0) {
      vf tail = load_part(from + i, rest, mean), dtail = load_part(slope + i, rest, 0.0f);
      Slopes s = slopes_at(job, tail, dtail, mean, inverse, first + c);
      store_part(to + i, (s.dpre * gain - g_mean - s.n * gn_mean) * factor, rest);
    }
  }
}

// x, weight, bias, saved, dout, dx or 0, dweight or 0, dbias or 0, sums, batch, channels, pixels, groups, activation
// sums [batch, channels, 2] is for the time of this kernel.
KERNEL(group_norm_backward) {
  Job job = {.x = FLOATS(0), .weight = FLOATS(1), .bias = FLOATS(2), .saved = FLOATS(3), .dout = FLOATS(4)};
  job.dx = FLOATS(5), job.dweight = FLOATS(6), job.dbias = FLOATS(7), job.sums = FLOATS(8);
  job.batch = LONG(9), job.channels = LONG(10), job.pixels = LONG(11), job.groups = LONG(12);
  job.activation = (int)LONG(13);
  int lost = parallel(context, do_gradient, &job, job.batch * job.groups);
  for (long c = 0; c < job.channels; c++) {
    double dbias = 0.0, dweight = 0.0;
    for (long b = 0; b < job.batch; b++) {
      dbias += (double)job.sums[2 * (b * job.channels + c)];
      dweight += (double)job.sums[2 * (b * job.channels + c) + 1];
    }
    if (job.dbias) job.dbias[c] = (float)dbias;
    if (job.dweight) job.dweight[c] = (float)dweight;
  }
  return lost;
}
