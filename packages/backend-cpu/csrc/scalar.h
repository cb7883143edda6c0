// Functions of one number, off the hot paths: computed in double and rounded once, so that they are all but exact.
#ifndef DIT_SCALAR_H
#define DIT_SCALAR_H

#include <stdint.h>

// Natural logarithm: x = m 2^n with m in [sqrt(1/2), sqrt 2), s = (m - 1) / (m + 1) and
// log m = 2 s (1 + s^2 / 3 + s^4 / 5 + ...), whose term after s^14 / 15 is below 1e-12.
static inline float log_float(float x) {
  if (!(x > 0.0f)) return x == 0.0f ? -__builtin_inff() : __builtin_nanf("");
  if (x == __builtin_inff()) return x;
  union {
    double value;
    uint64_t bits;
  } m = {.value = x};
  int n = (int)(m.bits >> 52) - 1023;
  m.bits = (m.bits & 0xfffffffffffffull) | 0x3ff0000000000000ull;
  if (m.value > 1.4142135623730951) m.value *= 0.5, n++;
  double s = (m.value - 1.0) / (m.value + 1.0), q = s * s, series = 1.0 / 15;
  for (int k = 13; k > 0; k -= 2) series = 1.0 / k + q * series;
  return (float)(n * 0.6931471805599453 + 2.0 * s * series);
}

// sin and cos of x after taking away the nearest multiple of pi / 2, by their Taylor series. The multiple is subtracted
// in two parts, exact to float precision up to |x| = 1e6; far beyond, the argument itself holds no angle any more.
static inline float sine_of_quarter(double r, int quarter) {
  double y = r * r, result;
  if (quarter & 1) {
    result = 1.0 + y * (-1.0 / 2 + y * (1.0 / 24 + y * (-1.0 / 720 + y * (1.0 / 40320 + y * (-1.0 / 3628800)))));
  } else {
    result = r * (1.0 + y * (-1.0 / 6 + y * (1.0 / 120 + y * (-1.0 / 5040 + y * (1.0 / 362880 - y / 39916800)))));
  }
  return (float)(quarter & 2 ? -result : result);
}

static inline float sine_shifted(float x, int shift) {
  double v = x;
  if (!(v > -1e15 && v < 1e15)) return __builtin_nanf("");
  // Adding 1.5 * 2^52 rounds to an integer.
  double n = (v * 0.63661977236758134 + 6755399441055744.0) - 6755399441055744.0;
  double r = (v - n * 1.5707963267341256) - n * 6.0771005065061922e-11;
  return sine_of_quarter(r, (int)((int64_t)n & 3) + shift);
}

static inline float sin_float(float x) { return sine_shifted(x, 0); }
static inline float cos_float(float x) { return sine_shifted(x, 1); }

#endif
