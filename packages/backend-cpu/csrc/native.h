// Instruction sets that the addon holds kernels for.
#ifndef DIT_NATIVE_H
#define DIT_NATIVE_H

#include "context.h"

typedef int Kernel(Context *context);

#if defined(__x86_64__)
extern Kernel *const kernels_avx512[], *const kernels_avx2[], *const kernels_sse2[];
// With products in bf16.
extern Kernel *const kernels_avx512_pairs[], *const kernels_avx512_widened[], *const kernels_avx2_widened[];
extern Kernel *const kernels_sse2_widened[];
#elif defined(__aarch64__)
extern Kernel *const kernels_neon[];
#endif

#endif
