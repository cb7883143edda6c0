// The table of the kernels for one instruction set, in the order of kernels.h.
#include "kernels.h"
#include "native.h"

#define DECLARED(name) KERNEL(name);
#define LISTED(name) NAMED(kernel_##name),

KERNELS(DECLARED)

Kernel *const NAMED(kernels)[] = {KERNELS(LISTED)};
