// The WebAssembly module: what JavaScript calls. Memory is imported; JavaScript allocates in it from heap_start() on.
#include "context.h"
#include "kernels.h"
#include "pool.h"

static double arguments[64];
static Context context;
static Pool pool;

extern unsigned char __heap_base;

#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("heap_start") uintptr_t heap_start(void) { return (uintptr_t)&__heap_base; }

EXPORT("arguments") double *arguments_address(void) { return arguments; }

// Bytes that `start` wants: panels, and scratch for each thread.
EXPORT("workspace_bytes") long workspace_bytes(int threads) {
  return (PANEL_FLOATS + (long)threads * SCRATCH_FLOATS) * (long)sizeof(float);
}

EXPORT("start") void start(float *workspace, int threads, double patience) {
  context.threads = threads;
  context.arguments = arguments;
  context.panels = workspace;
  context.scratch = workspace + PANEL_FLOATS;
  context.pool = &pool;
  start_pool(&pool, patience);
}

// What a worker runs: takes part in every kernel as `thread` (1, 2, ...) until `stop`.
EXPORT("work") void work(int thread) { serve_pool(&context, thread); }

EXPORT("stop") void stop(void) { stop_pool(&pool); }

#define EXPORTED(name)                             \
  int kernel_##name(Context *);                    \
  EXPORT(#name) int run_##name(void) { return kernel_##name(&context); }

KERNELS(EXPORTED, EXPORTED)
