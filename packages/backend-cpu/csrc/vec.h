// Vectors of floats, as wide as the target has them, written once for all targets: the vector extensions of clang and gcc
// give + - * / and comparisons, this file gives the rest.
//
//   VL   lanes of a vector: 4 (WASM SIMD128, SSE, NEON), 8 (AVX2), 16 (AVX-512)
//   vf   VL floats          vi   VL ints; comparisons of vf give vi masks of all ones or zeros
//
// a * b + c becomes one fused multiply-add where the target has it and the file is compiled with -ffp-contract=fast. With
// relaxed SIMD WebAssembly has one too, but no compiler puts it in by itself: multiply_add asks for it.
#ifndef DIT_VEC_H
#define DIT_VEC_H

#include <stdint.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define VL 16
#elif defined(__AVX2__)
#define VL 8
#else
#define VL 4
#endif

typedef float vf __attribute__((vector_size(4 * VL)));
typedef int32_t vi __attribute__((vector_size(4 * VL)));
typedef float vf_unaligned __attribute__((vector_size(4 * VL), aligned(4), may_alias));
typedef int32_t vi_unaligned __attribute__((vector_size(4 * VL), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vf load(const float *p) { return *(const vf_unaligned *)p; }
INLINE void store(float *p, vf x) { *(vf_unaligned *)p = x; }

INLINE vf splat(float x) {
#if VL == 16
  return (vf){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
#elif VL == 8
  return (vf){x, x, x, x, x, x, x, x};
#else
  return (vf){x, x, x, x};
#endif
}

INLINE vi splat_int(int32_t x) {
#if VL == 16
  return (vi){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
#elif VL == 8
  return (vi){x, x, x, x, x, x, x, x};
#else
  return (vi){x, x, x, x};
#endif
}

// a b + c, rounded once where the target can
INLINE vf multiply_add(vf a, vf b, vf c) {
#if defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_madd_f32x4(a, b, c);
#else
  return a * b + c;
#endif
}

// mask ? a : b, lane by lane
INLINE vf select_vf(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }

// b > a ? b : a and b < a ? b : a, lane by lane: a NaN in `a` stays, one in `b` gives `a`.
#if defined(__wasm_simd128__)
INLINE vf max_vf(vf a, vf b) { return __builtin_wasm_pmax_f32x4(a, b); }
INLINE vf min_vf(vf a, vf b) { return __builtin_wasm_pmin_f32x4(a, b); }
#elif VL == 16
INLINE vf max_vf(vf a, vf b) { return (vf)_mm512_max_ps((__m512)b, (__m512)a); }
INLINE vf min_vf(vf a, vf b) { return (vf)_mm512_min_ps((__m512)b, (__m512)a); }
#elif VL == 8
INLINE vf max_vf(vf a, vf b) { return (vf)_mm256_max_ps((__m256)b, (__m256)a); }
INLINE vf min_vf(vf a, vf b) { return (vf)_mm256_min_ps((__m256)b, (__m256)a); }
#elif defined(__SSE2__)
INLINE vf max_vf(vf a, vf b) { return (vf)_mm_max_ps((__m128)b, (__m128)a); }
INLINE vf min_vf(vf a, vf b) { return (vf)_mm_min_ps((__m128)b, (__m128)a); }
#else
INLINE vf max_vf(vf a, vf b) { return select_vf(b > a, b, a); }
INLINE vf min_vf(vf a, vf b) { return select_vf(b < a, b, a); }
#endif

INLINE vf abs_vf(vf x) { return (vf)((vi)x & splat_int(0x7fffffff)); }

INLINE vf sqrt_vf(vf x) {
#if defined(__wasm_simd128__)
  return __builtin_wasm_sqrt_f32x4(x);
#elif VL == 16
  return (vf)_mm512_sqrt_ps((__m512)x);
#elif VL == 8
  return (vf)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
  return (vf)_mm_sqrt_ps((__m128)x);
#else
  for (int i = 0; i < VL; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

// Lanes are added as a tree: first the upper half to the lower, and so on.
INLINE float sum_lanes(vf x) {
#if VL == 16
  float h[8];
  for (int i = 0; i < 8; i++) h[i] = x[i] + x[i + 8];
  return ((h[0] + h[4]) + (h[2] + h[6])) + ((h[1] + h[5]) + (h[3] + h[7]));
#elif VL == 8
  return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
#else
  return (x[0] + x[2]) + (x[1] + x[3]);
#endif
}

// Neighbouring lanes in each other's place.
INLINE vf swap_pairs(vf x) {
#if VL == 16
  return (vf)_mm512_permute_ps((__m512)x, 0xb1);
#elif VL == 8
  return (vf)_mm256_permute_ps((__m256)x, 0xb1);
#else
  return (vf){x[1], x[0], x[3], x[2]};
#endif
}

INLINE float max_lanes(vf x) {
  float result = x[0];
  for (int i = 1; i < VL; i++) result = x[i] > result ? x[i] : result;
  return result;
}

// The first `count` values of p, then `rest`.
INLINE vf load_part(const float *p, int count, float rest) {
  vf x = splat(rest);
  for (int i = 0; i < count; i++) x[i] = p[i];
  return x;
}

INLINE void store_part(float *p, vf x, int count) {
  for (int i = 0; i < count; i++) p[i] = x[i];
}

#endif
