// Packing of matrices into strips of bf16 (bf16.h).
#include "gemm.h"
#include "transpose.h"

#ifdef __AVX512BF16__

// The lanes are neighbours in memory.
INLINE void pack_rows(float *to, const float *from, long k_step, int lanes, int width, long k) {
  for (long p = 0; p < k; p += 2, from += 2 * k_step, to += width) {
    for (int lane = 0; lane < width; lane += 16) {
      __mmask16 mask = first_lanes(lanes - lane);
      __m512 first = _mm512_maskz_loadu_ps(mask, from + lane);
      __m512 second = p + 1 < k ? _mm512_maskz_loadu_ps(mask, from + k_step + lane) : _mm512_setzero_ps();
      _mm512_mask_storeu_epi32(to + lane, first_lanes(width - lane), pairs_of(first, second));
    }
  }
}

// The values of a lane are neighbours in memory: 32 of them become 16 pairs, which are transposed with those of 15 other lanes.
INLINE void pack_lanes(float *to, const float *from, long lane_step, int lanes, int width, long k) {
  for (int lane = 0; lane < width; lane += 16) {
    __mmask16 written = first_lanes(width - lane);
    for (long p = 0; p < k; p += 32) {
      __m512i rows[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; i++) {
        rows[i] = _mm512_setzero_si512();
        if (lane + i >= lanes) continue;
        const float *source = from + (lane + i) * lane_step + p;
        // The processor does not guess what follows at the end of a row.
        __builtin_prefetch(source + 32), __builtin_prefetch(source + 48);
        __m512 first = _mm512_maskz_loadu_ps(first_lanes(k - p), source);
        __m512 second = _mm512_maskz_loadu_ps(first_lanes(k - p - 16), source + 16);
        rows[i] = (__m512i)_mm512_cvtne2ps_pbh(second, first);
      }
      transpose16(rows);
      long count = STEPS_OF(k - p);
#pragma GCC unroll 16
      for (int i = 0; i < 16; i++) {
        if (i < count) _mm512_mask_storeu_epi32(to + (p / 2 + i) * width + lane, written, rows[i]);
      }
    }
  }
}

void pack_strip(float *to, const float *from, long lane_step, long k_step, int lanes, int width, long k) {
  if (k_step == 1) return pack_lanes(to, from, lane_step, lanes, width, k);
  if (lane_step == 1) return pack_rows(to, from, k_step, lanes, width, k);
  for (long p = 0; p < k; p += 2, to += width) {
    for (int lane = 0; lane < width; lane++) {
      const float *source = from + lane * lane_step + p * k_step;
      union {
        float value;
        uint32_t bits;
      } first = {lane < lanes ? source[0] : 0.0f}, second = {lane < lanes && p + 1 < k ? source[k_step] : 0.0f}, pair;
      pair.bits = rounded_bf16(second.bits) | rounded_bf16(first.bits) >> 16;
      to[lane] = pair.value;
    }
  }
}

#else

typedef uint32_t __attribute__((may_alias)) Bits;

// Rounds packed floats, and swaps the rows of each pair.
INLINE void round_rows(Bits *bits, int width, long k) {
  for (long p = 0; p < k; p += 2, bits += 2 * width) {
    for (int lane = 0; lane < width; lane++) {
      uint32_t first = rounded_bf16(bits[lane]);
      bits[lane] = rounded_bf16(bits[width + lane]);
      bits[width + lane] = first;
    }
  }
}

void pack_strip(float *to, const float *from, long lane_step, long k_step, int lanes, int width, long k) {
  pack_floats(to, from, lane_step, k_step, lanes, width, k);
  Bits *bits = (Bits *)to;
  if (k % 2 == 1) {
    for (int lane = 0; lane < width; lane++) bits[k * width + lane] = 0;
  }
  // Compilers make vectors of constant widths.
  switch (width) {
    case MR: return round_rows(bits, MR, k);
    case NR: return round_rows(bits, NR, k);
#if VL == 16
    case 8: return round_rows(bits, 8, k);
#endif
    default: return round_rows(bits, width, k);
  }
}

#endif
