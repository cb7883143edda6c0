// Walking over a contiguous output while reading operands that are stretched or permuted.
//
// The output has `rank` axes of `shape`; operand o moves by strides[o][axis] elements along each (0 where it is stretched).
// The last axis is a row. Units are stretches of about CHUNK elements: many short rows, or a part of one long row.
#ifndef DIT_STRIDED_H
#define DIT_STRIDED_H

#include "context.h"

#define MAX_RANK 6
#define MAX_OPERANDS 3

typedef struct {
  int rank, operands;
  long shape[MAX_RANK];
  long strides[MAX_OPERANDS][MAX_RANK];
  long rows, width;     // rows of the last axis, and its extent
  long pieces, piece;   // how a long row is cut
  long rows_per_unit;
} Walk;

// Reads rank, shape and strides from the kernel's arguments from number `at` on; returns the number of units.
static inline long begin_walk(Walk *walk, Context *context, int at, int operands) {
  int rank = walk->rank = (int)LONG(at);
  walk->operands = operands;
  walk->rows = 1;
  for (int axis = 0; axis < rank; axis++) {
    walk->shape[axis] = LONG(at + 1 + axis);
    if (axis < rank - 1) walk->rows *= walk->shape[axis];
    for (int o = 0; o < operands; o++) walk->strides[o][axis] = LONG(at + 1 + (o + 1) * rank + axis);
  }
  walk->width = walk->shape[rank - 1];
  walk->piece = min_long(walk->width, CHUNK);
  walk->pieces = ceil_div(walk->width, walk->piece);
  walk->rows_per_unit = max_long(1, CHUNK / walk->width);
  return ceil_div(walk->rows, walk->rows_per_unit) * walk->pieces;
}

// One stretch of a row: its first element in the output and in each operand, and its length.
typedef struct {
  long row, last_row, start, length;
  long offsets[MAX_OPERANDS];
} Stretch;

static inline void begin_unit(const Walk *walk, long unit, Stretch *s) {
  s->row = unit / walk->pieces * walk->rows_per_unit;
  s->last_row = min_long(s->row + walk->rows_per_unit, walk->rows);
  s->start = unit % walk->pieces * walk->piece;
  s->length = min_long(walk->piece, walk->width - s->start);
}

// Computes where the row begins in each operand.
static inline void locate(const Walk *walk, Stretch *s) {
  for (int o = 0; o < walk->operands; o++) s->offsets[o] = s->start * walk->strides[o][walk->rank - 1];
  long rest = s->row;
  for (int axis = walk->rank - 2; axis >= 0; axis--) {
    long position = rest % walk->shape[axis];
    rest /= walk->shape[axis];
    for (int o = 0; o < walk->operands; o++) s->offsets[o] += position * walk->strides[o][axis];
  }
}

#endif
