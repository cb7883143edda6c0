// The two functions of the C library that compilers call by themselves, for builds without one.
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  unsigned char *t = to;
  const unsigned char *f = from;
  for (; count >= 16; count -= 16, t += 16, f += 16) {
    typedef unsigned char block __attribute__((vector_size(16), aligned(1), may_alias));
    *(block *)t = *(const block *)f;
  }
  while (count--) *t++ = *f++;
  return to;
}

void *memset(void *to, int value, size_t count) {
  unsigned char *t = to;
  for (size_t i = 0; i < count; i++) t[i] = (unsigned char)value;
  return to;
}
