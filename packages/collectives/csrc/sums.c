// Sums of the ranks' numbers, which lie in one memory at a fixed distance. They are added in rank order in double precision and
// rounded once, so that the result does not depend on who arrived first; of two floats the sum in single precision is the same.
#include <stddef.h>
#include <wasm_simd128.h>

static const float *floats(const char *first, size_t stride, size_t rank) {
  return (const float *)(first + stride * rank);
}

/** out[i] = sum over `size` ranks of the float i at first + stride * rank; `out` may be one of them. */
__attribute__((export_name("sum_f32"))) void sum_f32(float *out, const char *first, size_t stride, size_t size,
                                                     size_t length) {
  size_t i = 0;
  if (size == 2) {
    const float *a = floats(first, stride, 0);
    const float *b = floats(first, stride, 1);
    for (; i + 4 <= length; i += 4) wasm_v128_store(out + i, wasm_f32x4_add(wasm_v128_load(a + i), wasm_v128_load(b + i)));
    for (; i < length; i++) out[i] = a[i] + b[i];
  } else {
    for (; i + 4 <= length; i += 4) {
      v128_t low = wasm_f64x2_splat(0), high = wasm_f64x2_splat(0);
      for (size_t rank = 0; rank < size; rank++) {
        const v128_t x = wasm_v128_load(floats(first, stride, rank) + i);
        low = wasm_f64x2_add(low, wasm_f64x2_promote_low_f32x4(x));
        high = wasm_f64x2_add(high, wasm_f64x2_promote_low_f32x4(wasm_i32x4_shuffle(x, x, 2, 3, 2, 3)));
      }
      low = wasm_f32x4_demote_f64x2_zero(low);
      high = wasm_f32x4_demote_f64x2_zero(high);
      wasm_v128_store(out + i, wasm_i64x2_shuffle(low, high, 0, 2));
    }
    for (; i < length; i++) {
      double total = 0;
      for (size_t rank = 0; rank < size; rank++) total += floats(first, stride, rank)[i];
      out[i] = (float)total;
    }
  }
}

/** The same for doubles. */
__attribute__((export_name("sum_f64"))) void sum_f64(double *out, const char *first, size_t stride, size_t size,
                                                     size_t length) {
  for (size_t i = 0; i < length; i++) {
    double total = 0;
    for (size_t rank = 0; rank < size; rank++) total += ((const double *)(first + stride * rank))[i];
    out[i] = total;
  }
}
