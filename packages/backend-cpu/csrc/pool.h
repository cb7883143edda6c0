// Threads that share the units of a kernel.
#ifndef DIT_POOL_H
#define DIT_POOL_H

#include <stdatomic.h>

#include "context.h"
#include "wait.h"

// All zeros at first.
struct Pool {
  _Atomic int32_t epoch;  // grows with each job; idle threads sleep until it does
  _Atomic int32_t gate;   // how many threads came in for the job, or CLOSED
  _Atomic int32_t left;   // how many went out again
  _Atomic int32_t next;   // first unit that nobody has taken
  _Atomic int32_t stopped;
  Unit *unit;
  const void *job;
  int32_t count;
  int lost;
  int64_t patience;  // nanoseconds
  Signal signal;
};

#define CLOSED (-1)

// `patience` is how many seconds the caller waits without progress before it calls a thread lost.
void start_pool(Pool *pool, double patience);
// Takes part in every kernel as number `thread` until stop_pool.
void serve_pool(Context *context, int thread);
void stop_pool(Pool *pool);

#endif
