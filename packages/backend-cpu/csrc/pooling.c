// The largest or the mean value of windows, over spread images (windows.h). What lies outside of the image is -infinity or 0 there,
// and the mean is taken over the number of pixels inside.
#include "sums.h"
#include "windows.h"

typedef struct {
  Windows w;
  const float *x;
  float *out;
  long all;  // planes
  int is_max;
  long bands, band, planes;  // how the work is cut: rows of results, and planes of them in a unit
} Job;

// Vectors of results computed side by side.
#define SIDE 4

// The larger of both, NaN where either is.
INLINE vf larger(vf a, vf b) { return select_vf((vi)(b > a) | (vi)(b != b), b, a); }

INLINE vf join(int is_max, vf a, vf b) { return is_max ? larger(a, b) : a + b; }

INLINE void join_places(const float *from, const long *offsets, long places, int is_max, int vectors, float *to) {
  vf values[SIDE];
#pragma GCC unroll 4
  for (int i = 0; i < vectors; i++) values[i] = load(from + offsets[0] + i * VL);
  for (long place = 1; place < places; place++) {
    const float *seen = from + offsets[place];
#pragma GCC unroll 4
    for (int i = 0; i < vectors; i++) values[i] = join(is_max, values[i], load(seen + i * VL));
  }
#pragma GCC unroll 4
  for (int i = 0; i < vectors; i++) store(to + i * VL, values[i]);
}

INLINE void join_run(const float *from, const long *offsets, long places, int is_max, long count, float *to) {
  long n = 0;
  for (; n + SIDE * VL <= count; n += SIDE * VL) join_places(from + n, offsets, places, is_max, SIDE, to + n);
  for (; n < count; n += VL) join_places(from + n, offsets, places, is_max, 1, to + n);
}

// Pixels inside that window i sees along an axis: from *begin on, to the one that is returned.
INLINE long range_of(long i, long window, long stride, long before, long extent, long *begin) {
  long start = i * stride - before;
  *begin = max_long(0, start);
  return min_long(extent, start + window);
}

static void do_band(const Job *job, float *scratch, long plane, long first) {
  const Windows *w = &job->w;
  long rows = min_long(job->band, w->out_height - first), places = w->window_height * w->window_width;
  Spread spread = spread_for(w, rows);
  float *wide = scratch + spread_size(&spread) + VL, *out = job->out + (plane * w->out_height + first) * w->out_width;
  spread_image(w, &spread, job->x + plane * w->height * w->width, first, job->is_max ? -__builtin_inff() : 0.0f, scratch);
  long offsets[MOST_PLACES], count = (rows - 1) * spread.columns + w->out_width;
  find_places(w, &spread, offsets);
  if (job->is_max) join_run(scratch, offsets, places, 1, count, wide);
  else join_run(scratch, offsets, places, 0, count, wide);
  for (long i = 0; i < rows; i++, out += w->out_width) {
    const float *from = wide + i * spread.columns;
    if (job->is_max) {
      take_every(out, from, 1, w->out_width);
      continue;
    }
    long top, left, down = range_of(first + i, w->window_height, w->stride_height, w->top, w->height, &top) - top;
    for (long j = 0; j < w->out_width; j++) {
      long across = range_of(j, w->window_width, w->stride_width, w->left, w->width, &left) - left;
      out[j] = from[j] / (float)(down * across);
    }
  }
}

// A single window, row by row of what it sees: for windows that are large, or the whole image.
static float join_window(const Job *job, const float *image, long i, long j) {
  const Windows *w = &job->w;
  long top, left, bottom = range_of(i, w->window_height, w->stride_height, w->top, w->height, &top);
  long right = range_of(j, w->window_width, w->stride_width, w->left, w->width, &left), count = right - left;
  if (!job->is_max) {
    double sum = 0.0;
    for (long y = top; y < bottom; y++) sum += sum_run(image + y * w->width + left, count);
    return (float)(sum / (double)((bottom - top) * count));
  }
  const float none = -__builtin_inff();
  vf values = splat(none);
  for (long y = top; y < bottom; y++) {
    const float *row = image + y * w->width + left;
    long x = 0;
    for (; x + VL <= count; x += VL) values = larger(values, load(row + x));
    if (x < count) values = larger(values, load_part(row + x, (int)(count - x), none));
  }
  float result = none;
  for (int lane = 0; lane < VL; lane++) result = values[lane] > result || values[lane] != values[lane] ? values[lane] : result;
  return result;
}

static void do_unit(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  const Windows *w = &job->w;
  long band = unit % job->bands, plane = unit / job->bands * job->planes;
  for (long end = min_long(plane + job->planes, job->all); plane < end; plane++) {
    if (job->band > 0) {
      do_band(job, scratch_of(context, thread), plane, band * job->band);
      continue;
    }
    float *out = job->out + plane * w->out_height * w->out_width;
    for (long at = 0; at < w->out_height * w->out_width; at++) {
      out[at] = join_window(job, job->x + plane * w->height * w->width, at / w->out_width, at % w->out_width);
    }
  }
}

// x, out, planes, height, width, window height, window width, stride height, stride width, top, left, out height, out width,
// whether the largest is wanted and not the mean
KERNEL(pool) {
  Job job = {.x = FLOATS(0), .out = FLOATS(1), .all = LONG(2), .is_max = (int)LONG(13)};
  job.w = (Windows){.height = LONG(3), .width = LONG(4), .window_height = LONG(5), .window_width = LONG(6)};
  job.w.stride_height = LONG(7), job.w.stride_width = LONG(8), job.w.top = LONG(9), job.w.left = LONG(10);
  job.w.out_height = LONG(11), job.w.out_width = LONG(12);
  int is_single = job.w.out_height * job.w.out_width == 1 || job.w.window_height * job.w.window_width > MOST_PLACES;
  job.band = is_single ? 0 : band_rows(&job.w);
  job.bands = job.band > 0 ? ceil_div(job.w.out_height, job.band) : 1;
  job.planes = job.band > 0 ? planes_together(&job.w) : max_long(1, CHUNK / 4 / (job.w.height * job.w.width));
  return parallel(context, do_unit, &job, ceil_div(job.all, job.planes) * job.bands);
}
