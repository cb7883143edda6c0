// Batched matrix products.
#include "gemm.h"

typedef struct {
  Gemm first;
  long a_size, b_size, c_size;
} Batch;

static Gemm item_of(const Batch *batch, long index) {
  Gemm g = batch->first;
  g.a += index * batch->a_size;
  g.b += index * batch->b_size;
  g.c += index * batch->c_size;
  return g;
}

static void do_item(Context *context, const void *data, long unit, int thread) {
  Gemm g = item_of(data, unit);
  gemm_local(scratch_of(context, thread), &g);
}

// a, b, out, count, m, n, k, transposeA, transposeB
KERNEL(matmul) {
  long count = LONG(3), m = LONG(4), n = LONG(5), k = LONG(6);
  int transpose_a = (int)LONG(7), transpose_b = (int)LONG(8);
  Batch batch = {
      .first = {.a = FLOATS(0),
                .a_row = transpose_a ? 1 : k,
                .a_column = transpose_a ? m : 1,
                .b = FLOATS(1),
                .b_row = transpose_b ? 1 : n,
                .b_column = transpose_b ? k : 1,
                .c = FLOATS(2),
                .c_row = n,
                .m = m,
                .n = n,
                .k = k},
      .a_size = m * k,
      .b_size = k * n,
      .c_size = m * n,
  };
  // Many products share the threads as wholes, a few one after the other.
  if (count >= 8) return parallel(context, do_item, &batch, count);
  int lost = 0;
  for (long i = 0; i < count; i++) {
    Gemm g = item_of(&batch, i);
    lost |= gemm(context, &g);
  }
  return lost;
}
