// The Node-API addon: what JavaScript calls. A backend is a Native; JavaScript allocates in the addresses it reserves.
#include <node_api.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels.h"
#include "native.h"
#include "pool.h"

#define ARGUMENTS 64

typedef struct {
  Context context;
  Pool pool;
  Kernel *const *kernels;
  double arguments[ARGUMENTS];
  pthread_t threads[MAX_THREADS];
  struct {
    void *native;
    int thread;
  } tasks[MAX_THREADS];
  char *base;  // reserved addresses, of which the first are memory
  size_t reserved;
} Native;

// `products` are those of bf16.h, or f32. 0 for what this processor does not have.
static Kernel *const *kernels_for(const char *set, const char *products) {
  int f32 = strcmp(products, "f32") == 0, widened = strcmp(products, "widened") == 0;
#if defined(__x86_64__)
  int has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  int has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (strcmp(set, "avx512") == 0 && has_avx512) {
    if (strcmp(products, "pairs") == 0) return __builtin_cpu_supports("avx512bf16") ? kernels_avx512_pairs : 0;
    return f32 ? kernels_avx512 : widened ? kernels_avx512_widened : 0;
  }
  if (strcmp(set, "avx2") == 0 && has_avx2) return f32 ? kernels_avx2 : widened ? kernels_avx2_widened : 0;
  if (strcmp(set, "sse2") == 0) return f32 ? kernels_sse2 : widened ? kernels_sse2_widened : 0;
#elif defined(__aarch64__)
  if (strcmp(set, "neon") == 0 && f32) return kernels_neon;
#endif
  return 0;
}

static void *serve(void *data) {
  typeof(((Native *)0)->tasks[0]) *task = data;
  serve_pool(&((Native *)task->native)->context, task->thread);
  return 0;
}

static napi_value number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

static void arguments_of(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  napi_get_cb_info(env, info, &count, values, 0, 0);
}

static double double_of(napi_env env, napi_value value) {
  double result = 0;
  napi_get_value_double(env, value, &result);
  return result;
}

static Native *native_of(napi_env env, napi_value value) {
  void *native = 0;
  napi_get_value_external(env, value, &native);
  return native;
}

static Kernel *const *kernels_of(napi_env env, const napi_value *values) {
  char set[16] = "", products[16] = "";
  napi_get_value_string_utf8(env, values[0], set, sizeof set, 0);
  napi_get_value_string_utf8(env, values[1], products, sizeof products, 0);
  return kernels_for(set, products);
}

// supports(set, products): whether this processor has the instructions for them
static napi_value supports(napi_env env, napi_callback_info info) {
  napi_value values[2], result;
  arguments_of(env, info, 2, values);
  napi_get_boolean(env, kernels_of(env, values) != 0, &result);
  return result;
}

// prefers_pairs(): whether vdpbf16ps does more at once than multiply-adds of floats. With tiles in L1, Zen 4
// reaches twice the rate of float32 with it, Sapphire Rapids 0.57 of it (both measured).
static napi_value prefers_pairs(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
#if defined(__x86_64__)
  napi_get_boolean(env, __builtin_cpu_is("amd") != 0, &result);
#else
  napi_get_boolean(env, 0, &result);
#endif
  return result;
}

// create(set, products, threads, patience, bytes): a Native with so many bytes of addresses, or null
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value values[5], result;
  arguments_of(env, info, 5, values);
  int threads = (int)double_of(env, values[2]);
  napi_get_null(env, &result);
  Native *native = aligned_alloc(64, (sizeof(Native) + 63) / 64 * 64);
  if (!native) return result;
  memset(native, 0, sizeof *native);
  size_t workspace = (PANEL_FLOATS + (size_t)threads * SCRATCH_FLOATS) * sizeof(float);
  native->reserved = (size_t)double_of(env, values[4]);
  native->base = mmap(0, native->reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  float *panels = aligned_alloc(4096, workspace);
  native->kernels = kernels_of(env, values);
  if (native->base == MAP_FAILED || !panels || !native->kernels) {
    if (native->base != MAP_FAILED) munmap(native->base, native->reserved);
    free(panels);
    free(native);
    return result;
  }
  native->context = (Context){threads, native->arguments, panels, panels + PANEL_FLOATS, &native->pool};
  start_pool(&native->pool, double_of(env, values[3]));
  for (int i = 1; i < threads; i++) {
    native->tasks[i].native = native;
    native->tasks[i].thread = i;
    if (pthread_create(&native->threads[i], 0, serve, &native->tasks[i]) != 0) native->context.threads = i;
    if (native->context.threads == i) break;
  }
  napi_create_external(env, native, 0, 0, &result);
  return result;
}

// threads(native): how many there are
static napi_value threads_of(napi_env env, napi_callback_info info) {
  napi_value value;
  arguments_of(env, info, 1, &value);
  return number(env, native_of(env, value)->context.threads);
}

// base(native): first reserved address
static napi_value base(napi_env env, napi_callback_info info) {
  napi_value value;
  arguments_of(env, info, 1, &value);
  return number(env, (double)(uintptr_t)native_of(env, value)->base);
}

// commit(native, from, to): makes memory of reserved addresses; false where the system refuses
static napi_value commit(napi_env env, napi_callback_info info) {
  napi_value values[3], result;
  arguments_of(env, info, 3, values);
  char *from = (char *)(uintptr_t)double_of(env, values[1]), *to = (char *)(uintptr_t)double_of(env, values[2]);
  napi_get_boolean(env, mprotect(from, (size_t)(to - from), PROT_READ | PROT_WRITE) == 0, &result);
  return result;
}

static napi_value copy(napi_env env, napi_callback_info info, int is_read) {
  napi_value values[2];
  napi_typedarray_type type;
  size_t length = 0;
  void *data = 0;
  arguments_of(env, info, 2, values);
  void *address = (void *)(uintptr_t)double_of(env, values[0]);
  napi_get_typedarray_info(env, values[1], &type, &length, &data, 0, 0);
  size_t bytes = length * (type == napi_uint16_array ? 2 : 4);
  if (is_read) memcpy(data, address, bytes);
  else memcpy(address, data, bytes);
  return 0;
}

// write(address, values) and read(address, values), for arrays of elements of 4 bytes, or of 2
static napi_value write_values(napi_env env, napi_callback_info info) { return copy(env, info, 0); }
static napi_value read_values(napi_env env, napi_callback_info info) { return copy(env, info, 1); }

// run(native, kernel, ...arguments): 0, or 1 when a thread was lost; `kernel` is its number in the list
static napi_value run(napi_env env, napi_callback_info info) {
  napi_value values[2 + ARGUMENTS];
  size_t count = 2 + ARGUMENTS;
  napi_get_cb_info(env, info, &count, values, 0, 0);
  Native *native = native_of(env, values[0]);
  for (size_t i = 2; i < count; i++) native->arguments[i - 2] = double_of(env, values[i]);
  return number(env, native->kernels[(int)double_of(env, values[1])](&native->context));
}

// destroy(native)
static napi_value destroy(napi_env env, napi_callback_info info) {
  napi_value value;
  arguments_of(env, info, 1, &value);
  Native *native = native_of(env, value);
  stop_pool(&native->pool);
  for (int i = 1; i < native->context.threads; i++) pthread_join(native->threads[i], 0);
  munmap(native->base, native->reserved);
  free(native->context.panels);
  free(native);
  return 0;
}

#define QUOTED(name) #name,
static const char *const names[] = {KERNELS(QUOTED, QUOTED)};

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback call;
  } functions[] = {{"supports", supports}, {"prefersPairs", prefers_pairs}, {"create", create}, {"threads", threads_of},
                   {"base", base},         {"commit", commit},              {"write", write_values}, {"read", read_values},
                   {"run", run},           {"destroy", destroy}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, 0, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  napi_value list, name;
  napi_create_array(env, &list);
  for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
    napi_create_string_utf8(env, names[i], NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, list, i, name);
  }
  napi_set_named_property(env, exports, "kernels", list);
  return exports;
}
