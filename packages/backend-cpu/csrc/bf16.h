// Products in bf16, float32 without its last 16 bits: operands are rounded to it, to nearest even, as they are packed, and sums are
// float32. The values of two neighbouring p make a pair, of which the second product is added before the first, each with one
// rounding. Denormal operands and sums become zero, and an odd k is filled up with a zero. There are two ways to do it, of the same
// bits, NaN included:
//
//   pairs     A step of k is a pair: two bf16 numbers where a float would be, the second in the upper half. One instruction of
//             AVX512-BF16, vdpbf16ps, is that sum (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2C).
//   widened   A pair is two steps: the rounded values as floats, the second first. So the kernels of float32 do it, no faster.
//
// Without fused multiply-add (SSE2) the bits are the same as long as no product is below 2^-126 or overflows.
#ifndef DIT_BF16_H
#define DIT_BF16_H

#include "vec.h"

// Steps of the micro-kernel for so many p.
#if !defined(BF16)
#define STEPS_OF(k) (k)
#elif defined(__AVX512BF16__)
#define STEPS_OF(k) (((k) + 1) / 2)
#else
#define STEPS_OF(k) ((k) + ((k) & 1))
#endif

// One step: sums + a b, of floats or of pairs.
INLINE vf multiply_step(vf a, vf b, vf sums) {
#if defined(BF16) && defined(__AVX512BF16__)
  return (vf)_mm512_dpbf16_ps((__m512)sums, (__m512bh)a, (__m512bh)b);
#else
  return multiply_add(a, b, sums);
#endif
}

// The nearest bf16 number to a float, as bits of a float; of a NaN a quiet one.
INLINE uint32_t rounded_bf16(uint32_t x) {
  uint32_t magnitude = x & 0x7fffffff, nearest = x + 0x7fff + (x >> 16 & 1);
  uint32_t result = magnitude > 0x7f800000 ? x | 0x400000 : magnitude < 0x800000 ? x & 0x80000000 : nearest;
  return result & 0xffff0000;
}

#if defined(BF16) && defined(__AVX512BF16__)

// The pairs of each lane.
INLINE __m512i pairs_of(__m512 first, __m512 second) {
  static const uint16_t order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                     8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return _mm512_permutexvar_epi16(_mm512_loadu_si512(order), (__m512i)_mm512_cvtne2ps_pbh(second, first));
}

// Writes the steps of a pair, which lie `row` apart.
INLINE void store_pair(float *to, long row, vf first, vf second) {
  (void)row;
  _mm512_storeu_si512(to, pairs_of((__m512)first, (__m512)second));
}

// Reads them.
INLINE void load_pair(const float *from, long row, vf *first, vf *second) {
  (void)row;
  vi pairs = (vi)load(from);
  *first = (vf)(pairs << 16), *second = (vf)(pairs & splat_int((int32_t)0xffff0000));
}

#else

INLINE vf rounded_bf16_vf(vf x) {
  vi bits = (vi)x, magnitude = bits & splat_int(0x7fffffff);
  vi nearest = bits + splat_int(0x7fff) + (bits >> 16 & splat_int(1));
  vi result = (vi)select_vf(magnitude > splat_int(0x7f800000), (vf)(bits | splat_int(0x400000)), (vf)nearest);
  result = (vi)select_vf(magnitude < splat_int(0x800000), (vf)(bits & splat_int((int32_t)0x80000000)), (vf)result);
  return (vf)(result & splat_int((int32_t)0xffff0000));
}

INLINE void store_pair(float *to, long row, vf first, vf second) {
  store(to, rounded_bf16_vf(second)), store(to + row, rounded_bf16_vf(first));
}

INLINE void load_pair(const float *from, long row, vf *first, vf *second) { *second = load(from), *first = load(from + row); }

#endif

// Between them denormals are zeros, as the instruction has them anyway, so that what is added to its sums is treated alike.
typedef unsigned Rounding;
INLINE Rounding begin_rounding(void) {
#if defined(BF16) && defined(__SSE2__)
  Rounding before = _mm_getcsr();
  _mm_setcsr(before | _MM_FLUSH_ZERO_ON | 0x40);  // 0x40: denormals are zeros
  __asm__ volatile("" ::: "memory");
  return before;
#else
  return 0;
#endif
}
INLINE void end_rounding(Rounding before) {
#if defined(BF16) && defined(__SSE2__)
  __asm__ volatile("" ::: "memory");
  _mm_setcsr(before);
#else
  (void)before;
#endif
}

#endif
