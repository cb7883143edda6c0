// Weights in half precision: 16 bits a number, f16 or bf16, kept as strips of NR columns of B for each stretch of k, so that nothing is
// transposed when they are read. The last strip is as narrow as the columns that are left.
#ifndef DIT_HALF_H
#define DIT_HALF_H

#include "vec.h"

enum Half { HALF_F16, HALF_BF16 };

typedef uint16_t vh __attribute__((vector_size(2 * VL)));
typedef uint16_t vh_unaligned __attribute__((vector_size(2 * VL), aligned(2), may_alias));

// VL numbers as floats, exactly; f16 must be finite.
INLINE vf half_vf(int kind, vh x) {
  vi bits = __builtin_convertvector(x, vi);
  if (kind == HALF_BF16) return (vf)(bits << 16);
#if VL == 16
  return (vf)_mm512_cvtph_ps((__m256i)x);
#else
  // The exponent counts from another number: 2^112 makes up for it, for denormals too.
  vf magnitude = (vf)((bits & splat_int(0x7fff)) << 13) * splat(0x1p112f);
  return (vf)((vi)magnitude | (bits & splat_int(0x8000)) << 16);
#endif
}

INLINE vf load_half(int kind, const uint16_t *p) { return half_vf(kind, *(const vh_unaligned *)p); }

INLINE vf load_half_part(int kind, const uint16_t *p, int count) {
  vh x = {0};
  for (int i = 0; i < count; i++) x[i] = p[i];
  return half_vf(kind, x);
}

#endif
