// Sums of long runs: lanes add stretches that are short enough for float, and the stretches are added in double.
#ifndef DIT_SUMS_H
#define DIT_SUMS_H

#include "context.h"
#include "vec.h"

#define STRETCH 2048L

INLINE double sum_run(const float *x, long length) {
  double sum = 0.0;
  for (long begin = 0; begin < length; begin += STRETCH) {
    const float *from = x + begin;
    long count = min_long(STRETCH, length - begin), i = 0;
    vf a = splat(0.0f), b = splat(0.0f);
    for (; i + 2 * VL <= count; i += 2 * VL) a += load(from + i), b += load(from + i + VL);
    for (; i + VL <= count; i += VL) a += load(from + i);
    b += load_part(from + i, (int)(count - i), 0.0f);
    sum += (double)sum_lanes(a + b);
  }
  return sum;
}

// Of (x - centre)^2
INLINE double sum_squares_run(const float *x, long length, float centre) {
  double sum = 0.0;
  vf middle = splat(centre);
  for (long begin = 0; begin < length; begin += STRETCH) {
    const float *from = x + begin;
    long count = min_long(STRETCH, length - begin), i = 0;
    vf a = splat(0.0f), b = splat(0.0f);
    for (; i + 2 * VL <= count; i += 2 * VL) {
      vf u = load(from + i) - middle, v = load(from + i + VL) - middle;
      a += u * u, b += v * v;
    }
    for (; i + VL <= count; i += VL) {
      vf u = load(from + i) - middle;
      a += u * u;
    }
    vf tail = load_part(from + i, (int)(count - i), centre) - middle;
    b += tail * tail;
    sum += (double)sum_lanes(a + b);
  }
  return sum;
}

#endif
