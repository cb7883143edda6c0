// Functions of vectors: exp, tanh, sigmoid, and the activations with their derivatives.
#ifndef DIT_FUNCTIONS_H
#define DIT_FUNCTIONS_H

#include "vec.h"

// e^x within 2 units in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, and e^r = 1 + r + r^2 q(r), where q
// interpolates at Chebyshev nodes (relative error 1e-8). The factor 2^n is applied in two halves, so that
// results near the largest float do not overflow on the way. Below -104 the result is 0, above 89 infinity, of NaN NaN.
INLINE vf exp_vf(vf x) {
  vf clamped = max_vf(min_vf(x, splat(89.0f)), splat(-104.0f));
  // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
  vf shifted = clamped * splat(1.44269504f) + splat(12582912.0f);
  vf n = shifted - splat(12582912.0f);
  vi exponent = (vi)shifted - splat_int(0x4b400000);
  vf r = clamped - n * splat(0.693359375f);  // nine bits of ln 2: the product is exact
  r = r - n * splat(-2.12194440e-4f);        // the rest of ln 2
  vf q = splat(1.39261836e-3f);
  q = q * r + splat(8.36317905e-3f);
  q = q * r + splat(4.16665546e-2f);
  q = q * r + splat(1.66665770e-1f);
  q = q * r + splat(0.5f);
  vf power = (q * r) * r + r + splat(1.0f);
  vi half = exponent >> 1;
  vf first = (vf)((half + splat_int(127)) << 23);
  vf second = (vf)((exponent - half + splat_int(127)) << 23);
  return (power * first) * second;
}

// 1 / (1 + e^-x)
INLINE vf sigmoid_vf(vf x) { return splat(1.0f) / (splat(1.0f) + exp_vf(-x)); }

// An odd polynomial below 0.55, where the other formula would cancel: 1 - 2 / (e^(2 |x|) + 1) with the sign of x.
INLINE vf tanh_vf(vf x) {
  vf y = x * x;
  vf p = splat(-6.61022784e-3f);
  p = p * y + splat(2.13093887e-2f);
  p = p * y + splat(-5.39094288e-2f);
  p = p * y + splat(1.33331137e-1f);
  p = p * y + splat(-3.33333320e-1f);
  vf small = (p * y) * x + x;
  vf magnitude = abs_vf(x);
  vf large = splat(1.0f) - splat(2.0f) / (exp_vf(magnitude + magnitude) + splat(1.0f));
  large = (vf)((vi)large | ((vi)x & splat_int((int32_t)0x80000000)));
  return select_vf(magnitude < splat(0.55f), small, large);
}

// x sigmoid(x)
INLINE vf silu_vf(vf x) { return x / (splat(1.0f) + exp_vf(-x)); }

INLINE vf silu_derivative_vf(vf x) {
  vf s = sigmoid_vf(x);
  return s * (splat(1.0f) + x * (splat(1.0f) - s));
}

// 0.5 x (1 + tanh u) = x sigmoid(2 u) with 2 u = 2 sqrt(2 / pi) (x + 0.044715 x^3). Beyond 16 the sigmoid is 0 or 1, so
// that x is clamped there and its powers do not overflow.
#define GELU_LINEAR 1.59576912f
#define GELU_CUBIC (1.59576912f * 0.044715f)

INLINE vf gelu_clamp(vf x) { return max_vf(min_vf(x, splat(16.0f)), splat(-16.0f)); }

INLINE vf gelu_vf(vf x) {
  vf t = gelu_clamp(x);
  vf twice_u = t * (splat(GELU_LINEAR) + splat(GELU_CUBIC) * (t * t));
  return x / (splat(1.0f) + exp_vf(-twice_u));
}

// gelu(x), and its derivative as well: they share the sigmoid, which is what costs.
INLINE vf gelu_with_derivative_vf(vf x, vf *derivative) {
  vf t = gelu_clamp(x);
  vf squared = t * t;
  vf s = sigmoid_vf(t * (splat(GELU_LINEAR) + splat(GELU_CUBIC) * squared));
  vf slope = splat(GELU_LINEAR) + splat(3.0f * GELU_CUBIC) * squared;
  *derivative = s + (t * slope) * (s * (splat(1.0f) - s));
  return x * s;
}

INLINE vf gelu_derivative_vf(vf x) {
  vf derivative;
  gelu_with_derivative_vf(x, &derivative);
  return derivative;
}

// What `linear` and `conv2d` apply to their results; the numbers are those of kernels/activations.ts.
enum Activation { ACTIVATION_NONE, ACTIVATION_GELU, ACTIVATION_SILU, ACTIVATION_RELU, ACTIVATION_RELU6 };

INLINE vf activation_vf(int activation, vf x) {
  return activation == ACTIVATION_GELU ? gelu_vf(x) : activation == ACTIVATION_SILU ? silu_vf(x) : x;
}

// Of convolutions; NaN stays.
INLINE vf relu_vf(int activation, vf x) {
  if (activation == ACTIVATION_NONE) return x;
  vf positive = max_vf(x, splat(0.0f));
  return activation == ACTIVATION_RELU6 ? min_vf(positive, splat(6.0f)) : positive;
}

INLINE vf activation_with_derivative_vf(int activation, vf x, vf *derivative) {
  if (activation == ACTIVATION_GELU) return gelu_with_derivative_vf(x, derivative);
  *derivative = activation == ACTIVATION_SILU ? silu_derivative_vf(x) : splat(1.0f);
  return activation_vf(activation, x);
}

INLINE vf activation_derivative_vf(int activation, vf x) {
  vf derivative;
  activation_with_derivative_vf(activation, x, &derivative);
  return derivative;
}

#endif
