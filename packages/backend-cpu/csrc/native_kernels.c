// The table of the kernels for one instruction set, in the order of kernels.h. Compiled with BF16, those in bf16 among them.
#include "kernels.h"
#include "native.h"

#define DECLARED_PLAIN(name) int PLAIN(kernel_##name)(Context *context);
#define LISTED_PLAIN(name) PLAIN(kernel_##name),
#define DECLARED(name) KERNEL(name);
#define LISTED(name) NAMED(kernel_##name),

KERNELS(DECLARED_PLAIN, DECLARED)

Kernel *const NAMED(kernels)[] = {KERNELS(LISTED_PLAIN, LISTED)};
