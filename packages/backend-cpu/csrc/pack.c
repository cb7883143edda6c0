// Packing of matrices into strips.
#include "gemm.h"
#include "transpose.h"

typedef float v4 __attribute__((vector_size(16)));
typedef float v4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));

// to[p * width + lane] = from[lane * lane_step + p] for 4 lanes and 4 p
INLINE void transpose4(float *to, long width, const float *from, long lane_step) {
  v4 r0 = *(const v4_unaligned *)from, r1 = *(const v4_unaligned *)(from + lane_step);
  v4 r2 = *(const v4_unaligned *)(from + 2 * lane_step), r3 = *(const v4_unaligned *)(from + 3 * lane_step);
  v4 a = __builtin_shufflevector(r0, r1, 0, 4, 1, 5), b = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
  v4 c = __builtin_shufflevector(r0, r1, 2, 6, 3, 7), d = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
  *(v4_unaligned *)to = __builtin_shufflevector(a, b, 0, 1, 4, 5);
  *(v4_unaligned *)(to + width) = __builtin_shufflevector(a, b, 2, 3, 6, 7);
  *(v4_unaligned *)(to + 2 * width) = __builtin_shufflevector(c, d, 0, 1, 4, 5);
  *(v4_unaligned *)(to + 3 * width) = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

// The lanes are neighbours in memory.
INLINE void copy_lanes(float *to, const float *from, long k_step, int width, long k) {
  for (long p = 0; p < k; p++, to += width, from += k_step) {
    int lane = 0;
    for (; lane + 4 <= width; lane += 4) *(v4_unaligned *)(to + lane) = *(const v4_unaligned *)(from + lane);
    for (; lane < width; lane++) to[lane] = from[lane];
  }
}

#if VL == 16

// The values of a lane are neighbours in memory: 16 of them are transposed with those of 15 other lanes.
INLINE void transpose_lanes(float *to, const float *from, long lane_step, int lanes, int width, long k) {
  for (int lane = 0; lane < width; lane += 16) {
    __mmask16 written = first_lanes(width - lane);
    for (long p = 0; p < k; p += 16) {
      __mmask16 read = first_lanes(k - p);
      __m512i rows[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; i++) {
        rows[i] = _mm512_setzero_si512();
        if (lane + i >= lanes) continue;
        const float *source = from + (lane + i) * lane_step + p;
        // Of the lanes that come next: the processor does not guess what follows at the end of a row.
        __builtin_prefetch(source + (width < 16 ? width : 16) * lane_step);
        rows[i] = _mm512_maskz_loadu_epi32(read, source);
      }
      transpose16(rows);
#pragma GCC unroll 16
      for (int i = 0; i < 16; i++) {
        if (p + i < k) _mm512_mask_storeu_epi32(to + (p + i) * width + lane, written, rows[i]);
      }
    }
  }
}

#endif

void pack_floats(float *to, const float *from, long lane_step, long k_step, int lanes, int width, long k) {
  if (lane_step == 1 && lanes == width) {
    if (width == MR) return copy_lanes(to, from, k_step, MR, k);
    if (width == NR) return copy_lanes(to, from, k_step, NR, k);
  }
#if VL == 16
  // Of fewer lanes, half of the larger transposes would be empty.
  if (k_step == 1 && width > 8) return transpose_lanes(to, from, lane_step, lanes, width, k);
#endif
  int lane = 0;
  if (k_step == 1) {
    for (; lane + 4 <= lanes; lane += 4) {
      const float *source = from + lane * lane_step;
      long p = 0;
      for (; p + 4 <= k; p += 4) {
        // The processor does not guess what follows at the end of a row.
        __builtin_prefetch(source + (4 + p / 4 % 4) * lane_step + p);
        transpose4(to + p * width + lane, width, source + p, lane_step);
      }
      for (; p < k; p++) {
        for (int i = 0; i < 4; i++) to[p * width + lane + i] = source[i * lane_step + p];
      }
    }
  }
  for (; lane < width; lane++) {
    const float *source = from + lane * lane_step;
    if (lane < lanes) {
      for (long p = 0; p < k; p++) to[p * width + lane] = source[p * k_step];
    } else {
      for (long p = 0; p < k; p++) to[p * width + lane] = 0.0f;
    }
  }
}
