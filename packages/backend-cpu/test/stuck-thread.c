// A thread that comes in for a kernel and does not come out again: the caller must give up after its patience. Prints what the
// pool answers, and after how long.
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "../csrc/pool.h"

#define PATIENCE 0.3

static Pool pool;
static Context context = {.threads = 2, .pool = &pool};
static _Atomic int has_come_in;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *serve(void *unused) {
  serve_pool(&context, 1);
  return unused;
}

// The caller's own unit lasts until the other thread has one, which never ends.
static void unit(Context *c, const void *job, long number, int thread) {
  (void)c, (void)job, (void)number;
  if (thread == 1) has_come_in = 1, pause();
  while (!has_come_in) usleep(1000);
}

int main(void) {
  pthread_t other;
  start_pool(&pool, PATIENCE);
  pthread_create(&other, 0, serve, 0);
  int first = parallel(&context, unit, 0, 2);
  double begin = now();
  int second = parallel(&context, unit, 0, 2);
  printf("%d, then %d %s\n", first, second, now() - begin < PATIENCE ? "at once" : "late");
  return 0;
}
