// Threads that share the units of a kernel.
#ifndef DIT_POOL_H
#define DIT_POOL_H

#include "context.h"

// `patience` is how many seconds the caller waits without progress before it calls a thread lost.
Pool *start_pool(double patience);
// Takes part in every kernel as number `thread` until stop_pool.
void serve_pool(Context *context, int thread);
void stop_pool(Pool *pool);

#endif
