// The pool of a module without threads: the caller does all the work.
#include "pool.h"

void start_pool(Pool *pool, double patience) { (void)pool, (void)patience; }

void serve_pool(Context *context, int thread) { (void)context, (void)thread; }

void stop_pool(Pool *pool) { (void)pool; }

int parallel(Context *context, Unit *unit, const void *job, long count) {
  for (long i = 0; i < count; i++) unit(context, job, i, 0);
  return 0;
}
