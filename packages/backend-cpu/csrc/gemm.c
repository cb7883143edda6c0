// Matrix products after Goto & van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication": both matrices are
// packed into strips that the micro-kernel reads from front to back, k in stretches short enough for the caches. Since
// packing takes any strides, transposed matrices cost the same.
#include "half.h"
#include "tile.h"

// Stretch of k in the parallel product, its steps, and the rows and columns packed at once. All of bf16 have one stretch, since sums
// begin anew with each.
#ifdef BF16
#define KC 768L
#else
#define KC 384L
#endif
#define STEPS STEPS_OF(KC)
#define MC (2048L * 384 / STEPS / MR * MR)
#define NC (2048L * 384 / STEPS)
_Static_assert((MC + NC) * STEPS <= PANEL_FLOATS, "the packed panels fit");
_Static_assert(NC % NR == 0, "panels hold whole strips");
// Tiles of C that one unit computes.
#define TILE_ROWS (MR * (VL == 4 ? 16 : 8))
#define TILE_COLUMNS (VL == 16 ? 128L : 64L)
// The same for the product on one thread, which is in float32.
#define LOCAL_KC 256L
#define LOCAL_MC (128L / MR * MR)
#define LOCAL_NC 256L
_Static_assert((LOCAL_MC + LOCAL_NC) * LOCAL_KC <= GEMM_SCRATCH, "the scratch suffices");

// Of two packed strips.
static void multiply_strips(const float *a, const float *b, long steps, float *c, long c_row, int rows, int columns,
                            int accumulate) {
  multiply_tile(MR, a, MR, b, NR, steps, c, c_row, rows, columns, accumulate);
}

// A block of C: rows m0 .. m1 - 1, columns n0 .. n1 - 1, from packed strips that begin at those of rows and columns a0, b0.
static void multiply_block(const Gemm *g, const float *a_panel, const float *b_panel, long a0, long b0, long m0, long m1,
                           long n0, long n1, long k, int accumulate) {
  long steps = STEPS_OF(k);
  Rounding mode = begin_rounding();
  for (long n = n0; n < n1; n += NR) {
    const float *b = b_panel + (n - b0) * steps;
    int columns = (int)min_long(NR, n1 - n);
    for (long m = m0; m < m1; m += MR) {
      multiply_strips(a_panel + (m - a0) * steps, b, steps, g->c + m * g->c_row + n, g->c_row, (int)min_long(MR, m1 - m),
                      columns, accumulate);
    }
  }
  end_rounding(mode);
}

INLINE vf finish(vf x, const Gemm *g, int activation, vf bias, vf *derivative) {
  x += bias;
  return g->derivative ? activation_with_derivative_vf(activation, x, derivative) : activation_vf(activation, x);
}

INLINE void finish_rows(const Gemm *g, int activation, long m0, long m1, long n0, long n1) {
  vf zero = splat(0.0f), slope = zero;
  long whole = n0 + (n1 - n0) / VL * VL;
  int rest = (int)(n1 - whole);
  for (long m = m0; m < m1; m++) {
    float *c = g->c + m * g->c_row, *derivative = g->derivative ? g->derivative + m * g->c_row : 0;
    for (long n = n0; n < whole; n += VL) {
      store(c + n, finish(load(c + n), g, activation, g->bias ? load(g->bias + n) : zero, &slope));
      if (derivative) store(derivative + n, slope);
    }
    if (rest > 0) {
      vf bias = g->bias ? load_part(g->bias + whole, rest, 0.0f) : zero;
      store_part(c + whole, finish(load_part(c + whole, rest, 0.0f), g, activation, bias, &slope), rest);
      if (derivative) store_part(derivative + whole, slope, rest);
    }
  }
}

// Bias and activation of a block whose product is complete.
static void finish_block(const Gemm *g, long m0, long m1, long n0, long n1) {
  if (g->activation == ACTIVATION_GELU) finish_rows(g, ACTIVATION_GELU, m0, m1, n0, n1);
  else if (g->activation == ACTIVATION_SILU) finish_rows(g, ACTIVATION_SILU, m0, m1, n0, n1);
  else if (g->bias) finish_rows(g, ACTIVATION_NONE, m0, m1, n0, n1);
}

// Length of the stretches of k: as equal as possible, at most `limit`, and whole pairs in bf16.
static long stretch_of(long k, long limit) {
  if (k == 0) return 1;
  long stretch = ceil_div(k, ceil_div(k, limit));
#ifdef BF16
  stretch += stretch & 1;
#endif
  return stretch;
}

#ifdef ISA

void arrange_columns(uint16_t *to, const uint16_t *from, long n, long k, int is_back) {
  long stretch = stretch_of(k, KC);
  for (long k0 = 0; k0 < k; k0 += stretch) {
    long count = min_long(stretch, k - k0);
    for (long n0 = 0; n0 < n; n0 += NR) {
      long columns = min_long(NR, n - n0), strip = k0 * n + n0 * count;
      for (long p = 0; p < count; p++) {
        for (long i = 0; i < columns; i++) {
          long arranged = strip + p * columns + i, plain = (n0 + i) * k + k0 + p;
          if (is_back) to[plain] = from[arranged];
          else to[arranged] = from[plain];
        }
      }
    }
  }
}

// Rows of B that are unpacked at once.
#ifdef BF16
#define STRIDE 2
#else
#define STRIDE 1
#endif

// A strip of B in half precision, of `columns` <= NR columns, as the micro-kernel reads it.
INLINE void unpack_half(float *to, const uint16_t *from, int half, int columns, long k) {
  for (long p = 0; p < k; p += STRIDE, to += STEPS_OF(STRIDE) * NR) {
    const uint16_t *row = from + p * columns, *next = row + columns;
    for (int lane = 0; lane < NR; lane += VL) {
      int count = columns - lane;
      vf first = count >= VL ? load_half(half, row + lane) : load_half_part(half, row + lane, count);
#ifdef BF16
      vf second = splat(0.0f);
      if (p + 1 < k) second = count >= VL ? load_half(half, next + lane) : load_half_part(half, next + lane, count);
      store_pair(to + lane, NR, first, second);
#else
      (void)next;
      store(to + lane, first);
#endif
    }
  }
}

#endif

static void pack_columns(float *to, const Gemm *g, long n, long n1, long k0, long k) {
  int columns = (int)min_long(NR, n1 - n);
#ifdef ISA
  const uint16_t *from = g->b_half + k0 * g->n + n * k;
  if (g->b_half && g->half == HALF_F16) return unpack_half(to, from, HALF_F16, columns, k);
  if (g->b_half) return unpack_half(to, from, HALF_BF16, columns, k);
#endif
  pack_strip(to, g->b + n * g->b_column + k0 * g->b_row, g->b_column, g->b_row, columns, NR, k);
}

typedef struct {
  const Gemm *g;
  float *a_panel, *b_panel;
  long m0, m1, n0, n1, k0, k;  // what is packed now
  long a_strips, tile_rows;
  int is_first, is_last;
} Step;

static void pack_unit(Context *context, const void *data, long unit, int thread) {
  const Step *s = data;
  const Gemm *g = s->g;
  (void)context, (void)thread;
  if (unit < s->a_strips) {
    long m = s->m0 + unit * MR;
    pack_strip(s->a_panel + unit * MR * STEPS_OF(s->k), g->a + m * g->a_row + s->k0 * g->a_column, g->a_row, g->a_column,
               (int)min_long(MR, s->m1 - m), MR, s->k);
  } else {
    long n = s->n0 + (unit - s->a_strips) * NR;
    pack_columns(s->b_panel + (n - s->n0) * STEPS_OF(s->k), g, n, s->n1, s->k0, s->k);
  }
}

static void tile_unit(Context *context, const void *data, long unit, int thread) {
  const Step *s = data;
  (void)context, (void)thread;
  long m = s->m0 + unit % s->tile_rows * TILE_ROWS, n = s->n0 + unit / s->tile_rows * TILE_COLUMNS;
  long m1 = min_long(m + TILE_ROWS, s->m1), n1 = min_long(n + TILE_COLUMNS, s->n1);
  multiply_block(s->g, s->a_panel, s->b_panel, s->m0, s->n0, m, m1, n, n1, s->k, s->g->accumulate || !s->is_first);
  if (s->is_last) finish_block(s->g, m, m1, n, n1);
}

// Few rows: packed columns would be read once or twice and not be worth a place in memory, so that each unit packs some of
// them into its scratch and has done with them.
#define THIN_ROWS (4L * MR)
#define THIN_COLUMNS (4L * NR)
_Static_assert((THIN_ROWS + NR) * STEPS <= SCRATCH_FLOATS, "a strip and the rows fit a thread's scratch");

static void thin_unit(Context *context, const void *data, long unit, int thread) {
  const Gemm *g = data;
  float *a_panel = scratch_of(context, thread), *strip = a_panel + THIN_ROWS * STEPS;
  long n0 = unit * THIN_COLUMNS, n1 = min_long(n0 + THIN_COLUMNS, g->n), stretch = stretch_of(g->k, KC);
  for (long k0 = 0; k0 < max_long(g->k, 1); k0 += stretch) {
    long k = min_long(stretch, g->k - k0);
    for (long m = 0; m < g->m; m += MR) {
      pack_strip(a_panel + m * STEPS_OF(k), g->a + m * g->a_row + k0 * g->a_column, g->a_row, g->a_column,
                 (int)min_long(MR, g->m - m), MR, k);
    }
    for (long n = n0; n < n1; n += NR) {
      pack_columns(strip, g, n, n1, k0, k);
      multiply_block(g, a_panel, strip, 0, n, 0, g->m, n, min_long(n + NR, n1), k, g->accumulate || k0 > 0);
    }
  }
  finish_block(g, 0, g->m, n0, n1);
}

int gemm(Context *context, const Gemm *g) {
  if (g->m <= THIN_ROWS) return parallel(context, thin_unit, g, ceil_div(g->n, THIN_COLUMNS));
  int lost = 0;
  long stretch = stretch_of(g->k, KC);
  Step s = {.g = g, .a_panel = context->panels, .b_panel = context->panels + MC * STEPS};
  for (s.n0 = 0; s.n0 < g->n; s.n0 += NC) {
    s.n1 = min_long(s.n0 + NC, g->n);
    for (s.k0 = 0; s.k0 < max_long(g->k, 1); s.k0 += stretch) {
      s.k = min_long(stretch, g->k - s.k0);
      s.is_first = s.k0 == 0;
      s.is_last = s.k0 + stretch >= g->k;
      for (s.m0 = 0; s.m0 < g->m; s.m0 += MC) {
        s.m1 = min_long(s.m0 + MC, g->m);
        s.a_strips = ceil_div(s.m1 - s.m0, MR);
        s.tile_rows = ceil_div(s.m1 - s.m0, TILE_ROWS);
        // Of the columns nothing changes with m0.
        long b_strips = s.m0 == 0 ? ceil_div(s.n1 - s.n0, NR) : 0;
        lost |= parallel(context, pack_unit, &s, s.a_strips + b_strips);
        lost |= parallel(context, tile_unit, &s, s.tile_rows * ceil_div(s.n1 - s.n0, TILE_COLUMNS));
      }
    }
  }
  return lost;
}

#ifndef BF16

void gemm_local(float *scratch, const Gemm *g) {
  float *a_panel = scratch, *b_panel = scratch + LOCAL_MC * LOCAL_KC;
  long stretch = stretch_of(g->k, LOCAL_KC);
  for (long n0 = 0; n0 < g->n; n0 += LOCAL_NC) {
    long n1 = min_long(n0 + LOCAL_NC, g->n);
    for (long k0 = 0; k0 < max_long(g->k, 1); k0 += stretch) {
      long k = min_long(stretch, g->k - k0);
      for (long n = n0; n < n1; n += NR) {
        pack_strip(b_panel + (n - n0) * k, g->b + n * g->b_column + k0 * g->b_row, g->b_column, g->b_row,
                   (int)min_long(NR, n1 - n), NR, k);
      }
      for (long m0 = 0; m0 < g->m; m0 += LOCAL_MC) {
        long m1 = min_long(m0 + LOCAL_MC, g->m);
        for (long m = m0; m < m1; m += MR) {
          pack_strip(a_panel + (m - m0) * k, g->a + m * g->a_row + k0 * g->a_column, g->a_row, g->a_column,
                     (int)min_long(MR, m1 - m), MR, k);
        }
        multiply_block(g, a_panel, b_panel, m0, n0, m0, m1, n0, n1, k, g->accumulate || k0 > 0);
      }
    }
  }
  finish_block(g, 0, g->m, 0, g->n);
}

void gemm_in_place(float *scratch, const float *a, long a_step, const float *b, long b_step, float *c, long c_row, long m,
                   long n, long k, int accumulate) {
  for (long n0 = 0; n0 < n; n0 += NR) {
    int columns = (int)min_long(NR, n - n0);
    const float *strip = b + n0;
    long step = b_step;
    if (columns < NR) {
      // Behind the last column there may be no memory.
      pack_strip(scratch, strip, 1, b_step, columns, NR, k);
      strip = scratch, step = NR;
    }
    for (long m0 = 0; m0 < m; m0 += MR) {
      multiply_tile(MR, a + m0, a_step, strip, step, k, c + m0 * c_row + n0, c_row, (int)min_long(MR, m - m0), columns,
                    accumulate);
    }
  }
}

#endif
