// Windows over images: where their places lie, and images laid out so that every place of a run of windows is a run of memory.
//
// A spread image has one plane for each of stride x stride phases: plane (a, b) holds the pixels that places (u, v) with u % stride = a
// and v % stride = b see, the padding among them. There the windows of neighbouring results lie side by side whatever the stride, and
// window (i, j) sees through place (u, v) the pixel in row i + u / stride, column j + v / stride.
#ifndef DIT_WINDOWS_H
#define DIT_WINDOWS_H

#include "context.h"
#include "vec.h"

typedef struct {
  long height, width;  // of the image
  long window_height, window_width, stride_height, stride_width, top, left;
  long out_height, out_width;
} Windows;

// A spread image for some rows of results.
typedef struct {
  long phases_down, phases_across;  // those that places see
  long rows, columns;               // of a plane
} Spread;

INLINE Spread spread_for(const Windows *w, long out_rows) {
  return (Spread){
      .phases_down = min_long(w->window_height, w->stride_height),
      .phases_across = min_long(w->window_width, w->stride_width),
      .rows = out_rows + (w->window_height - 1) / w->stride_height,
      .columns = w->out_width + (w->window_width - 1) / w->stride_width,
  };
}

INLINE long spread_size(const Spread *s) { return s->phases_down * s->phases_across * s->rows * s->columns; }

// Over a spread image, results are computed for whole rows of its planes, `columns` apart, some more than there are windows: one
// run for vectors. A band is so many rows of results, with its spread image and these wide results in a thread's scratch.
#define BAND_FLOATS (16 * 1024L)

// Rows of results whose band fits so many floats; 0 where not one does.
INLINE long rows_in(const Windows *w, long floats) {
  Spread none = spread_for(w, 0), one = spread_for(w, 1);
  long always = spread_size(&none) + 2 * VL, each = spread_size(&one) - spread_size(&none) + one.columns;
  return floats < always + each ? 0 : min_long(w->out_height, (floats - always) / each);
}

// Rows of a band: what stays in the fast caches, but a few rows more if each band would mostly repeat the one before.
INLINE long band_rows(const Windows *w) {
  long rows = rows_in(w, BAND_FLOATS), least = min_long(w->out_height, 4 * ceil_div(w->window_height, w->stride_height));
  return rows >= least ? rows : min_long(least, rows_in(w, SCRATCH_FLOATS));
}

// Planes that one unit takes together, so that it has enough to do.
INLINE long planes_together(const Windows *w) {
  return max_long(1, CHUNK / 4 / max_long(1, w->out_height * w->out_width));
}

// Where window (0, 0) sees through a place.
INLINE long place_offset(const Windows *w, const Spread *s, long u, long v) {
  long plane = u % w->stride_height * s->phases_across + v % w->stride_width;
  return (plane * s->rows + u / w->stride_height) * s->columns + v / w->stride_width;
}

// The offsets of all places of a window, which are at most so many.
#define MOST_PLACES 1024

INLINE void find_places(const Windows *w, const Spread *s, long *offsets) {
  for (long u = 0; u < w->window_height; u++) {
    for (long v = 0; v < w->window_width; v++) *offsets++ = place_offset(w, s, u, v);
  }
}

// Every stride-th value of a row.
INLINE void take_every(float *to, const float *from, long stride, long count) {
  long i = 0;
  if (stride == 1) {
    for (; i + VL <= count; i += VL) store(to + i, load(from + i));
    for (; i < count; i++) to[i] = from[i];
  } else if (stride == 2) {
    for (; i < count; i++) to[i] = from[2 * i];
  } else {
    for (; i < count; i++) to[i] = from[stride * i];
  }
}

// Spreads a channel of an image for the rows of results from `first` on; `outside` stands for what is not in the image.
INLINE void spread_image(const Windows *w, const Spread *s, const float *image, long first, float outside, float *to) {
  for (long a = 0; a < s->phases_down; a++) {
    for (long b = 0; b < s->phases_across; b++) {
      // Column t of the plane is column stride t + b - left of the image.
      long begin = min_long(s->columns, w->left > b ? ceil_div(w->left - b, w->stride_width) : 0);
      long inside = w->width + w->left - b;
      long end = inside <= 0 ? 0 : min_long(s->columns, ceil_div(inside, w->stride_width));
      for (long r = 0; r < s->rows; r++, to += s->columns) {
        long y = (first + r) * w->stride_height + a - w->top, t = 0;
        if (y >= 0 && y < w->height && begin < end) {
          for (; t < begin; t++) to[t] = outside;
          take_every(to + t, image + y * w->width + begin * w->stride_width + b - w->left, w->stride_width, end - begin);
          t = end;
        }
        for (; t < s->columns; t++) to[t] = outside;
      }
    }
  }
}

#endif
