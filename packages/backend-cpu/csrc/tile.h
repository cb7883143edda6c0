// The micro-kernel of matrix products: the register tile and how it is filled.
#ifndef DIT_TILE_H
#define DIT_TILE_H

#include "gemm.h"

// The register tile = A B, with `rows` <= MR rows: `rows` values of A and NR of B follow each other, and those of the next step of
// k come `a_step` and `b_step` further on. `rows` must be a constant where this is inlined.
INLINE void multiply_into(vf sums[MR][NV], int rows, const float *a, long a_step, const float *b, long b_step, long steps) {
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
    for (int v = 0; v < NV; v++) sums[r][v] = splat(0.0f);
  }
  const float *end = b + steps * b_step;
  while (b < end) {
    // The way out after each step keeps V8 from mixing the steps, for which it would have too few registers.
#pragma GCC unroll 8
    for (int step = 0; step < 8; step++) {
      vf b0 = load(b), b1 = load(b + VL);
#pragma GCC unroll 16
      for (int r = 0; r < rows; r++) {
        vf value = splat(a[r]);
        sums[r][0] = multiply_step(value, b0, sums[r][0]);
        sums[r][1] = multiply_step(value, b1, sums[r][1]);
      }
      a += a_step, b += b_step;
      if (b == end) break;
    }
  }
}

// c [rows, columns] (+)= A B, with rows <= height <= MR and columns <= NR: see multiply_into. `height` must be a constant.
INLINE void multiply_tile(int height, const float *a, long a_step, const float *b, long b_step, long steps, float *c, long c_row,
                          int rows, int columns, int accumulate) {
  vf sums[MR][NV];
#ifdef ISA
  // What is written at the end is fetched meanwhile; WebAssembly has no instruction for it.
#pragma GCC unroll 16
  for (int r = 0; r < height; r++) __builtin_prefetch(c + r * c_row, 1), __builtin_prefetch(c + r * c_row + NR - 1, 1);
#endif
  multiply_into(sums, height, a, a_step, b, b_step, steps);
  if (rows == height && columns == NR) {
#pragma GCC unroll 16
    for (int r = 0; r < height; r++) {
      float *out = c + r * c_row;
      store(out, accumulate ? load(out) + sums[r][0] : sums[r][0]);
      store(out + VL, accumulate ? load(out + VL) + sums[r][1] : sums[r][1]);
    }
    return;
  }
  float whole[MR * NR];
#pragma GCC unroll 16
  for (int r = 0; r < height; r++) {
    store(whole + r * NR, sums[r][0]);
    store(whole + r * NR + VL, sums[r][1]);
  }
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < columns; i++) c[r * c_row + i] = whole[r * NR + i] + (accumulate ? c[r * c_row + i] : 0.0f);
  }
}

#endif
