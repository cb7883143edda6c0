// The pool of a module without threads: the caller does all the work.
#include "pool.h"

struct Pool {
  int unused;
};

static Pool only;

Pool *start_pool(double patience) {
  (void)patience;
  return &only;
}

void serve_pool(Context *context, int thread) { (void)context, (void)thread; }

void stop_pool(Pool *pool) { (void)pool; }

int parallel(Context *context, Unit *unit, const void *job, long count) {
  for (long i = 0; i < count; i++) unit(context, job, i, 0);
  return 0;
}
