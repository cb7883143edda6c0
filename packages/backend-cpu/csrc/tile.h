// The micro-kernel of matrix products: the register tile and how it is filled.
#ifndef DIT_TILE_H
#define DIT_TILE_H

#include "gemm.h"

// The register tile = A B, with `rows` <= MR rows: `rows` values of A and NR of B follow each other, and those of the next p come
// `a_step` and `b_step` further on. `rows` must be a constant where this is inlined.
INLINE void multiply_into(vf sums[MR][NV], int rows, const float *a, long a_step, const float *b, long b_step, long k) {
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
    for (int v = 0; v < NV; v++) sums[r][v] = splat(0.0f);
  }
  const float *end = b + k * b_step;
  while (b < end) {
    // The way out after each step keeps V8 from mixing the steps, for which it would have too few registers.
#pragma GCC unroll 8
    for (int step = 0; step < 8; step++) {
      vf b0 = load(b), b1 = load(b + VL);
#pragma GCC unroll 16
      for (int r = 0; r < rows; r++) {
        vf value = splat(a[r]);
        sums[r][0] = multiply_add(value, b0, sums[r][0]);
        sums[r][1] = multiply_add(value, b1, sums[r][1]);
      }
      a += a_step, b += b_step;
      if (b == end) break;
    }
  }
}

#endif
