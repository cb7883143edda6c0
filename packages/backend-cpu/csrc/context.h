// What every kernel is given, and how it shares its work among threads.
//
// A kernel cuts its work into units that write disjoint outputs, or partial sums which are then added in the order of the
// units. Where the cuts lie depends on the shapes alone. So results are the same bits for any number of threads.
#ifndef DIT_CONTEXT_H
#define DIT_CONTEXT_H

#include <stdint.h>

#define MAX_THREADS 64

// Panels of packed matrices that all threads read (gemm.c), in floats.
#define PANEL_FLOATS (3 * 1024 * 512)
// What each thread has for itself, in floats.
#define SCRATCH_FLOATS (128 * 1024)

typedef struct Pool Pool;

typedef struct {
  int threads;
  // 32 arguments of the kernel being run: addresses, sizes and numbers as doubles, which hold all of them exactly.
  double *arguments;
  float *panels;
  // SCRATCH_FLOATS for each thread
  float *scratch;
  Pool *pool;
} Context;

// A part of a kernel's work. `thread` is 0 for the caller and names the scratch to use.
typedef void Unit(Context *context, const void *job, long unit, int thread);

// Runs units 0 .. count - 1, in any order, on all threads, and returns when all are done.
// Returns 0, or 1 when a thread was lost on the way; a kernel passes this on.
int parallel(Context *context, Unit *unit, const void *job, long count);

static inline float *scratch_of(const Context *context, int thread) {
  return context->scratch + (long)thread * SCRATCH_FLOATS;
}

static inline long ceil_div(long a, long b) { return (a + b - 1) / b; }
static inline long min_long(long a, long b) { return a < b ? a : b; }
static inline long max_long(long a, long b) { return a > b ? a : b; }

// Elements that a unit of an element-wise kernel covers.
#define CHUNK 16384L

// Argument number i of the kernel, read as what it is.
#define FLOATS(i) ((float *)(uintptr_t)context->arguments[i])
#define INTS(i) ((int32_t *)(uintptr_t)context->arguments[i])
#define HALVES(i) ((uint16_t *)(uintptr_t)context->arguments[i])
#define LONG(i) ((long)context->arguments[i])
#define NUMBER(i) ((float)context->arguments[i])
#define DOUBLE(i) (context->arguments[i])

// The addon holds the kernels several times, compiled for one instruction set each, whose name ISA is part of all names. Those
// whose products are in bf16 are compiled with BF16, `pairs` or `widened` (bf16.h), and have it in their names too.
#define JOIN_NAMES(a, b) a##_##b
#define JOIN_EXPANDED(a, b) JOIN_NAMES(a, b)
#ifdef ISA
#define PLAIN(name) JOIN_EXPANDED(name, ISA)
#else
#define PLAIN(name) name
#endif
#ifdef BF16
#define NAMED(name) JOIN_EXPANDED(PLAIN(name), BF16)
#else
#define NAMED(name) PLAIN(name)
#endif

// Begins a kernel, which returns 0, or 1 when a thread was lost. All kernels are listed in kernels.h.
#define KERNEL(name) int NAMED(kernel_##name)(Context *context)

#endif
