// What the arithmetic units of this processor reach: multiply-adds between registers, nothing loaded and nothing stored, on
// each number of threads. No program that multiplies matrices in float32 can be faster. Prints JSON, GFLOP/s.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 60
#define STEPS 200000
#define SUMS 12

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

// The sums pass through empty asm statements, so that the compiler neither drops nor joins them.
#if defined(__x86_64__)
#define REGISTER "v"
#elif defined(__aarch64__)
#define REGISTER "w"
#endif

#define EACH(do) do(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) do(8) do(9) do(10) do(11)
#define BEGIN(i) v sum##i = (v){0} + (float)i;
#define ADD(i) sum##i = sum##i * factor + term; __asm__ volatile("" : "+" REGISTER(sum##i));

#define LOOP(name, lanes, attributes)                         \
  attributes static void name(void) {                         \
    typedef float v __attribute__((vector_size(4 * lanes)));  \
    v factor = (v){0} + 0.999f, term = (v){0} + 1e-3f;        \
    EACH(BEGIN)                                               \
    for (int step = 0; step < STEPS; step++) {                \
      EACH(ADD)                                               \
    }                                                         \
  }

#if defined(__x86_64__)
LOOP(fused_16, 16, __attribute__((target("avx512f"))))
LOOP(fused_8, 8, __attribute__((target("avx2,fma"))))
LOOP(fused_4, 4, __attribute__((target("avx2,fma"))))
LOOP(separate_4, 4, __attribute__((target("avx"))))
#else
LOOP(fused_4, 4, )
#endif

typedef struct {
  const char *name;
  void (*run)(void);
  int lanes, is_there;
} Kind;

typedef struct {
  const Kind *kind;
  pthread_barrier_t *barrier;
  double seconds[ROUNDS];
} Thread;

static void *measure(void *data) {
  Thread *thread = data;
  for (int round = 0; round < ROUNDS; round++) {
    pthread_barrier_wait(thread->barrier);
    double begin = now();
    thread->kind->run();
    thread->seconds[round] = now() - begin;
  }
  return 0;
}

// The best round, in which the slowest thread counts.
static double ceiling(const Kind *kind, int count) {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, 0, count);
  Thread *threads = calloc(count, sizeof(Thread));
  pthread_t *handles = calloc(count, sizeof(pthread_t));
  for (int i = 0; i < count; i++) {
    threads[i].kind = kind, threads[i].barrier = &barrier;
    pthread_create(&handles[i], 0, measure, &threads[i]);
  }
  for (int i = 0; i < count; i++) pthread_join(handles[i], 0);
  double best = 1e9;
  for (int round = 0; round < ROUNDS; round++) {
    double slowest = 0;
    for (int i = 0; i < count; i++) slowest = threads[i].seconds[round] > slowest ? threads[i].seconds[round] : slowest;
    best = slowest < best ? slowest : best;
  }
  free(threads), free(handles);
  return 2.0 * kind->lanes * SUMS * STEPS * count / best / 1e9;
}

int main(int count, char **numbers) {
  const Kind kinds[] = {
#if defined(__x86_64__)
      {"16 lanes, fused", fused_16, 16, __builtin_cpu_supports("avx512f")},
      {"8 lanes, fused", fused_8, 8, __builtin_cpu_supports("avx2")},
      {"4 lanes, fused", fused_4, 4, __builtin_cpu_supports("avx2")},
      {"4 lanes, separate", separate_4, 4, __builtin_cpu_supports("avx")},
#else
      {"4 lanes, fused", fused_4, 4, 1},
#endif
  };
  const char *comma = "";
  printf("[");
  for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    for (int i = 1; kinds[k].is_there && i < count; i++) {
      int threads = atoi(numbers[i]);
      printf("%s{\"kind\":\"%s\",\"threads\":%d,\"gflops\":%.1f}", comma, kinds[k].name, threads, ceiling(&kinds[k], threads));
      comma = ",";
    }
  }
  printf("]\n");
  return 0;
}
