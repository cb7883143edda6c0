// Matrix products: C = A B, with A [m, k] and B [k, n] read through any strides, C row-major. Compiled with BF16, operands are
// rounded to bf16 as they are packed (bf16.h).
#ifndef DIT_GEMM_H
#define DIT_GEMM_H

#include "bf16.h"
#include "context.h"
#include "functions.h"

// The register tile: MR rows by NV vectors of C stay in registers while k runs. WASM engines and SSE have 16 registers, and
// more than 8 of them as sums spill.
#if VL == 16
#define MR 12
#elif VL == 8
#define MR 6
#elif defined(__aarch64__)
#define MR 8
#else
#define MR 4
#endif
#define NV 2
#define NR (NV * VL)

typedef struct {
  const float *a;
  long a_row, a_column;  // elements between neighbouring rows and columns of A
  const float *b;
  long b_row, b_column;
  const uint16_t *b_half;  // in place of b: strips in half precision (half.h), made by arrange_columns
  int half;                // f16 or bf16
  float *c;
  long c_row;
  long m, n, k;
  int accumulate;  // C += A B
  // What follows the product: C += bias, `derivative` = activation'(C) in rows like those of C, C = activation(C). Null and
  // 0 for none.
  const float *bias;
  float *derivative;
  int activation;
} Gemm;

#define gemm NAMED(gemm)
#define gemm_local NAMED(gemm_local)
#define pack_floats PLAIN(pack_floats)
#ifdef BF16
#define pack_strip NAMED(pack_strip)
#else
#define pack_strip pack_floats
#endif
#define gemm_in_place NAMED(gemm_in_place)

// On all threads.
int gemm(Context *context, const Gemm *g);

// Copies a strip of a matrix so that the micro-kernel reads it from front to back:
// to[p * width + lane] = from[lane * lane_step + p * k_step], and 0 in lanes from `lanes` to `width`.
void pack_floats(float *to, const float *from, long lane_step, long k_step, int lanes, int width, long k);
#ifdef BF16
// The same, in the STEPS_OF(k) rows of bf16.h.
void pack_strip(float *to, const float *from, long lane_step, long k_step, int lanes, int width, long k);
#endif

// Copies a weight [n, k] of half precision into strips that `b_half` can be, or back. n k numbers either way.
#define arrange_columns NAMED(arrange_columns)
void arrange_columns(uint16_t *to, const uint16_t *from, long n, long k, int is_back);

// On the calling thread alone, with GEMM_SCRATCH floats of scratch.
#define GEMM_SCRATCH (128 * 256 + 256 * 256)
void gemm_local(float *scratch, const Gemm *g);

// c [m, n] (+)= A B on the calling thread, without packing: A[row, p] stands at a[p * a_step + row] and B[p, column] at
// b[p * b_step + column]. Up to MR floats behind the last row of A are read, and up to NR * k floats of scratch are used.
void gemm_in_place(float *scratch, const float *a, long a_step, const float *b, long b_step, float *c, long c_row, long m,
                   long n, long k, int accumulate);

#endif
