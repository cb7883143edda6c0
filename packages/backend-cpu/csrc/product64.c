// Matrix products in float64, for measures of features: c [m, n] += a [m, k] b [n, k]^T, all row-major. As gemm.c does it: strips
// are packed and multiplied in register tiles. A product of a matrix with itself computes the tiles below the diagonal only.
#include "gemm.h"

#define DL (VL / 2)
typedef double vd __attribute__((vector_size(8 * DL)));
typedef double vd_unaligned __attribute__((vector_size(8 * DL), aligned(8), may_alias));

#define NR64 (2 * DL)
#define KC64 256L
#define MC64 (1024L / MR * MR)
#define NC64 2048L
_Static_assert((MC64 + NC64) * KC64 * 2 <= PANEL_FLOATS, "the packed panels fit");
_Static_assert(NC64 % NR64 == 0, "panels hold whole strips");
#define TILE_ROWS64 (MR * (VL == 4 ? 16 : 8))
#define TILE_COLUMNS64 64L

typedef struct {
  const double *a, *b;
  double *c;
  long m, n, k;
  int is_lower;  // a = b, and c is symmetric: above the diagonal nothing is computed
} Product;

typedef struct {
  const Product *product;
  double *a_panel, *b_panel;
  long m0, m1, n0, n1, k0, k;
  long a_strips, tile_rows;
} Step;

INLINE vd load64(const double *p) { return *(const vd_unaligned *)p; }
INLINE void store64(double *p, vd x) { *(vd_unaligned *)p = x; }

INLINE vd splat64(double x) {
#if VL == 16
  return (vd){x, x, x, x, x, x, x, x};
#elif VL == 8
  return (vd){x, x, x, x};
#else
  return (vd){x, x};
#endif
}

INLINE vd multiply_add64(vd a, vd b, vd c) {
#if defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_madd_f64x2(a, b, c);
#else
  return a * b + c;
#endif
}

// to[p * width + lane] = from[lane * lane_step + p], and 0 in lanes from `lanes` to `width`
INLINE void pack_rows(double *to, const double *from, long lane_step, int lanes, int width, long k) {
  for (int lane = 0; lane < width; lane++) {
    const double *source = from + lane * lane_step;
    if (lane < lanes) {
      for (long p = 0; p < k; p++) to[p * width + lane] = source[p];
    } else {
      for (long p = 0; p < k; p++) to[p * width + lane] = 0.0;
    }
  }
}

static void pack_unit(Context *context, const void *data, long unit, int thread) {
  const Step *s = data;
  const Product *g = s->product;
  (void)context, (void)thread;
  if (unit < s->a_strips) {
    long m = s->m0 + unit * MR;
    pack_rows(s->a_panel + unit * MR * s->k, g->a + m * g->k + s->k0, g->k, (int)min_long(MR, s->m1 - m), MR, s->k);
  } else {
    long n = s->n0 + (unit - s->a_strips) * NR64;
    pack_rows(s->b_panel + (n - s->n0) * s->k, g->b + n * g->k + s->k0, g->k, (int)min_long(NR64, s->n1 - n), NR64, s->k);
  }
}

INLINE void multiply_tile(const double *a, const double *b, long k, double *c, long c_row, int rows, int columns) {
  vd sums[MR][2];
#pragma GCC unroll 16
  for (int r = 0; r < MR; r++) sums[r][0] = sums[r][1] = splat64(0.0);
  for (long p = 0; p < k; p++, a += MR, b += NR64) {
    vd b0 = load64(b), b1 = load64(b + DL);
#pragma GCC unroll 16
    for (int r = 0; r < MR; r++) {
      vd value = splat64(a[r]);
      sums[r][0] = multiply_add64(value, b0, sums[r][0]);
      sums[r][1] = multiply_add64(value, b1, sums[r][1]);
    }
  }
  if (rows == MR && columns == NR64) {
#pragma GCC unroll 16
    for (int r = 0; r < MR; r++) {
      double *out = c + r * c_row;
      store64(out, load64(out) + sums[r][0]);
      store64(out + DL, load64(out + DL) + sums[r][1]);
    }
    return;
  }
  double whole[MR * NR64];
#pragma GCC unroll 16
  for (int r = 0; r < MR; r++) {
    store64(whole + r * NR64, sums[r][0]);
    store64(whole + r * NR64 + DL, sums[r][1]);
  }
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < columns; i++) c[r * c_row + i] += whole[r * NR64 + i];
  }
}

static void tile_unit(Context *context, const void *data, long unit, int thread) {
  const Step *s = data;
  const Product *g = s->product;
  (void)context, (void)thread;
  long m0 = s->m0 + unit % s->tile_rows * TILE_ROWS64, n0 = s->n0 + unit / s->tile_rows * TILE_COLUMNS64;
  long m1 = min_long(m0 + TILE_ROWS64, s->m1), n1 = min_long(n0 + TILE_COLUMNS64, s->n1);
  for (long n = n0; n < n1; n += NR64) {
    const double *b = s->b_panel + (n - s->n0) * s->k;
    int columns = (int)min_long(NR64, n1 - n);
    for (long m = m0; m < m1; m += MR) {
      int rows = (int)min_long(MR, m1 - m);
      if (g->is_lower && n > m + rows - 1) continue;
      multiply_tile(s->a_panel + (m - s->m0) * s->k, b, s->k, g->c + m * g->n + n, g->n, rows, columns);
    }
  }
}

#define MIRROR 64L

// Copies what lies below the diagonal above it, a band of rows of the upper triangle each.
static void mirror_unit(Context *context, const void *data, long unit, int thread) {
  const Product *g = data;
  (void)context, (void)thread;
  long i0 = unit * MIRROR, i1 = min_long(i0 + MIRROR, g->n);
  for (long j0 = i0; j0 < g->n; j0 += MIRROR) {
    long j1 = min_long(j0 + MIRROR, g->n);
    for (long i = i0; i < i1; i++) {
      for (long j = max_long(j0, i + 1); j < j1; j++) g->c[i * g->n + j] = g->c[j * g->n + i];
    }
  }
}

// a, b, c, m, n, k, is_lower
KERNEL(product64) {
  Product g = {.a = (const double *)FLOATS(0),
               .b = (const double *)FLOATS(1),
               .c = (double *)FLOATS(2),
               .m = LONG(3),
               .n = LONG(4),
               .k = LONG(5),
               .is_lower = (int)LONG(6)};
  int lost = 0;
  Step s = {.product = &g, .a_panel = (double *)context->panels, .b_panel = (double *)context->panels + MC64 * KC64};
  for (s.n0 = 0; s.n0 < g.n; s.n0 += NC64) {
    s.n1 = min_long(s.n0 + NC64, g.n);
    for (s.k0 = 0; s.k0 < g.k; s.k0 += KC64) {
      s.k = min_long(KC64, g.k - s.k0);
      int is_packed = 0;
      for (s.m0 = 0; s.m0 < g.m; s.m0 += MC64) {
        s.m1 = min_long(s.m0 + MC64, g.m);
        if (g.is_lower && s.m1 <= s.n0) continue;
        s.a_strips = ceil_div(s.m1 - s.m0, MR);
        s.tile_rows = ceil_div(s.m1 - s.m0, TILE_ROWS64);
        long b_strips = is_packed ? 0 : ceil_div(s.n1 - s.n0, NR64);
        is_packed = 1;
        lost |= parallel(context, pack_unit, &s, s.a_strips + b_strips);
        lost |= parallel(context, tile_unit, &s, s.tile_rows * ceil_div(s.n1 - s.n0, TILE_COLUMNS64));
      }
    }
  }
  if (g.is_lower) lost |= parallel(context, mirror_unit, &g, ceil_div(g.n, MIRROR));
  return lost;
}
