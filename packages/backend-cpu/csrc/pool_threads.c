// The pool of engines with threads.
//
// The caller publishes a job, opens the gate, takes units like everybody else, closes the gate, and waits for those who
// came in. A worker that the system did not get round to waking is not waited for.
#include "pool.h"

#include "wait.h"

#define CLOSED (-1)

#define WAIT_NANOSECONDS 100000000

void start_pool(Pool *pool, double patience) {
  start_signal(&pool->signal);
  atomic_store(&pool->gate, CLOSED);
  pool->patience = (int64_t)(patience * 1e9);
}

static void take_units(Context *context, int thread) {
  Pool *pool = context->pool;
  for (;;) {
    int32_t unit = atomic_fetch_add(&pool->next, 1);
    if (unit >= pool->count) return;
    pool->unit(context, pool->job, unit, thread);
  }
}

static int come_in(Pool *pool) {
  int32_t inside = atomic_load(&pool->gate);
  while (inside != CLOSED) {
    if (atomic_compare_exchange_weak(&pool->gate, &inside, inside + 1)) return 1;
  }
  return 0;
}

void serve_pool(Context *context, int thread) {
  Pool *pool = context->pool;
  int32_t seen = 0;
  while (!atomic_load(&pool->stopped)) {
    if (come_in(pool)) {
      seen = atomic_load(&pool->epoch);
      take_units(context, thread);
      atomic_fetch_add(&pool->left, 1);
      wake(&pool->signal, &pool->left);
    }
    int spins = SPINS;
    while (atomic_load_explicit(&pool->epoch, memory_order_relaxed) == seen && spins > 0) relax(), spins--;
    if (spins == 0) sleep_while(&pool->signal, &pool->epoch, seen, -1);
    seen = atomic_load(&pool->epoch);
  }
}

// Waits until all who came in went out; 1 if they never do.
static int wait_for(Pool *pool, int32_t inside) {
  int64_t waited = 0;
  for (int spins = 0;; spins++) {
    int32_t left = atomic_load(&pool->left);
    if (left == inside) return 0;
    relax();
    if (spins < SPINS) continue;
    if (sleep_while(&pool->signal, &pool->left, left, WAIT_NANOSECONDS)) continue;
    waited += WAIT_NANOSECONDS;
    if (waited >= pool->patience) return 1;
  }
}

static void publish(Pool *pool) {
  atomic_fetch_add(&pool->epoch, 1);
  wake(&pool->signal, &pool->epoch);
}

int parallel(Context *context, Unit *unit, const void *job, long count) {
  Pool *pool = context->pool;
  if (pool->lost) return 1;
  if (count == 1 || context->threads == 1) {
    for (long i = 0; i < count; i++) unit(context, job, i, 0);
    return 0;
  }
  pool->unit = unit;
  pool->job = job;
  pool->count = (int32_t)count;
  atomic_store(&pool->next, 0);
  atomic_store(&pool->left, 0);
  atomic_store(&pool->gate, 0);
  publish(pool);
  take_units(context, 0);
  return pool->lost = wait_for(pool, atomic_exchange(&pool->gate, CLOSED));
}

void stop_pool(Pool *pool) {
  atomic_store(&pool->stopped, 1);
  publish(pool);
}
