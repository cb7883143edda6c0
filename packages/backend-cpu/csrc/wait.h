// Sleeping until a number changes: instructions of WebAssembly, or a mutex and a condition of POSIX threads.
//
//   relax         what to do between two looks while spinning; SPINS looks last about as long as the pause between kernels
//   sleep_while   until *at is not `seen` any more, or `nanoseconds` are over (-1: never); 0 where they were over
//   wake          ends the sleep of all threads at `at`, after it was changed
#ifndef DIT_WAIT_H
#define DIT_WAIT_H

#include <stdatomic.h>
#include <stdint.h>

#ifdef __wasm__

#define SPINS 20000

typedef struct {
  int unused;
} Signal;

static inline void start_signal(Signal *signal) { (void)signal; }
static inline void relax(void) {}

#ifdef __wasm_atomics__
static inline int sleep_while(Signal *signal, _Atomic int32_t *at, int32_t seen, int64_t nanoseconds) {
  (void)signal;
  return __builtin_wasm_memory_atomic_wait32((int *)at, seen, nanoseconds) != 2;
}

static inline void wake(Signal *signal, _Atomic int32_t *at) {
  (void)signal;
  __builtin_wasm_memory_atomic_notify((int *)at, 0xffffffffu);
}
#endif

#else

#include <pthread.h>
#include <time.h>

#define SPINS 2000

typedef struct {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
} Signal;

static inline void start_signal(Signal *signal) {
  pthread_mutex_init(&signal->mutex, 0);
  pthread_cond_init(&signal->changed, 0);
}

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static inline int sleep_while(Signal *signal, _Atomic int32_t *at, int32_t seen, int64_t nanoseconds) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += nanoseconds;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  int error = 0;
  pthread_mutex_lock(&signal->mutex);
  while (atomic_load(at) == seen && error == 0) {
    error = nanoseconds < 0 ? pthread_cond_wait(&signal->changed, &signal->mutex)
                            : pthread_cond_timedwait(&signal->changed, &signal->mutex, &until);
  }
  pthread_mutex_unlock(&signal->mutex);
  return error == 0;
}

static inline void wake(Signal *signal, _Atomic int32_t *at) {
  (void)at;
  pthread_mutex_lock(&signal->mutex);
  pthread_cond_broadcast(&signal->changed);
  pthread_mutex_unlock(&signal->mutex);
}

#endif
#endif
