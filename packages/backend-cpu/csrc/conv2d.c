// Convolutions as products of matrices: out [O, pixels] = weight [O, K] columns [K, pixels], where a column holds the K = C KH KW
// values that a window sees. No matrix of columns exists: each unit packs some of them at a time, straight from the image or, where
// windows step or reach outside, from a spread copy of it (windows.h). Columns of neighbouring images share strips, so that small
// images fill them. Bias and activation are applied to the tiles of the last stretch of K on their way to memory.
#include "tile.h"
#include "windows.h"

// Stretch of K that is packed at once; sums begin anew with each.
#define KC 384L
// Columns that a unit packs at once.
#define BLOCK_COLUMNS 256L
_Static_assert(BLOCK_COLUMNS % NR == 0, "a block is whole strips");
_Static_assert(BLOCK_COLUMNS * KC + VL <= SCRATCH_FLOATS, "a block and what is written behind it fit a thread's scratch");
// There should be about so many units, for threads to share.
#define UNITS 16L
// Strips of rows below which a unit would pack more than multiply.
#define LEAST_ROW_STRIPS 4L

typedef struct {
  Windows w;
  const float *x, *weight, *bias;
  float *out, *packed, *copy;
  int32_t *offsets;  // of the terms of a group, from where a window begins
  long batch, groups, channels, outputs;  // channels and outputs of a group
  int activation;
  // Where columns are read from: the image, or the copy of a group of images or of some rows of one.
  const float *source;
  long image_step, row_step;      // from an image, and from a row of windows, to the next
  const float *safe_end;          // from here on a whole vector may reach beyond what is there
  Spread spread;
  long image0, images, row0, rows;  // of results
  // How the work is cut.
  long column_blocks, block_strips, row_blocks, block_rows;
} Job;

static long terms_of(const Job *job) { return job->channels * job->w.window_height * job->w.window_width; }
static long stretch_of(long k) { return ceil_div(k, ceil_div(k, KC)); }
static long strips_of(const Job *job) { return ceil_div(job->outputs, MR); }

// Rows of the last strip: tiles come in three heights.
#define TALL MR
#define MIDDLE ((2 * MR + 2) / 3)
#define LOW ((MR + 2) / 3)
static long last_rows(const Job *job) {
  long rest = job->outputs - (strips_of(job) - 1) * MR;
  return rest <= LOW ? LOW : rest <= MIDDLE ? MIDDLE : TALL;
}
static long padded_rows(const Job *job) { return (strips_of(job) - 1) * MR + last_rows(job); }

static void pack_weight_unit(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long terms = terms_of(job), stretch = stretch_of(terms), strips = strips_of(job);
  long strip = unit % strips, group = unit / strips, m = strip * MR;
  long width = strip == strips - 1 ? last_rows(job) : MR;
  const float *from = job->weight + (group * job->outputs + m) * terms;
  float *to = job->packed + group * padded_rows(job) * terms;
  for (long k0 = 0; k0 < terms; k0 += stretch) {
    long k = min_long(stretch, terms - k0);
    pack_strip(to + k0 * padded_rows(job) + m * k, from + k0, terms, 1, (int)min_long(MR, job->outputs - m), (int)width, k);
  }
}

static void spread_unit(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  (void)context, (void)thread;
  long channels = job->groups * job->channels;
  const float *image = job->x + (job->image0 * channels + unit) * job->w.height * job->w.width;
  spread_image(&job->w, &job->spread, image, job->row0, 0.0f, job->copy + unit * spread_size(&job->spread));
}

// A run of the lanes of a strip that is a run of the source, at most a vector long.
typedef struct {
  long lane, from;
} Piece;

// The pieces of the columns from n on; returns how many they are.
static int cut_strip(const Job *job, long n, long columns, Piece *pieces) {
  int count = 0;
  long width = job->w.out_width, per_image = job->rows * width;
  // Where windows are as wide as the image their rows lie behind each other.
  if (job->row_step == width) width = per_image;
  for (long lane = 0; lane < columns;) {
    long image = (n + lane) / per_image, rest = (n + lane) % per_image;
    long row = rest / width, column = rest % width;
    long run = min_long(columns - lane, width - column), from = image * job->image_step + row * job->row_step + column;
    for (long i = 0; i < run; i += VL) pieces[count++] = (Piece){lane + i, from + i};
    lane += run;
  }
  return count;
}

// Packs k terms of a strip: to[p * NR + lane]. Each piece is a whole vector, of which the next overwrites what is too much.
static void pack_columns(const float *source, const int32_t *offsets, const Piece *pieces, int count, long k, float *to) {
  if (count == NV && pieces[1].from == pieces[0].from + VL) {
    for (long p = 0; p < k; p++, to += NR) {
      const float *from = source + offsets[p] + pieces[0].from;
      store(to, load(from)), store(to + VL, load(from + VL));
    }
    return;
  }
  for (long p = 0; p < k; p++, to += NR) {
    const float *from = source + offsets[p];
    for (int i = 0; i < count; i++) store(to + pieces[i].lane, load(from + pieces[i].from));
  }
}

// The same, value by value: for the end of the source.
static void pack_columns_exactly(const float *source, const int32_t *offsets, const Piece *pieces, int count, long columns,
                                 long k, float *to) {
  for (long p = 0; p < k; p++, to += NR) {
    for (int i = 0; i < count; i++) {
      long end = i + 1 < count ? pieces[i + 1].lane : columns;
      for (long lane = pieces[i].lane; lane < end; lane++) {
        to[lane] = source[offsets[p] + pieces[i].from + lane - pieces[i].lane];
      }
    }
  }
}

typedef struct {
  const float *bias;  // of the rows of the tile, or 0
  int is_first, is_last, activation;
} Finish;

INLINE vf finished(const Finish *f, int r, vf sum, vf before) {
  vf value = f->is_first ? (f->bias ? splat(f->bias[r]) + sum : sum) : before + sum;
  return f->is_last ? relu_vf(f->activation, value) : value;
}

// The sums of a run of columns of one row, on their way to c.
static void finish_run(const Finish *f, int r, const float *sums, float *c, long run) {
  long i = 0;
  for (; i + VL <= run; i += VL) store(c + i, finished(f, r, load(sums + i), f->is_first ? load(sums + i) : load(c + i)));
  int rest = (int)(run - i);
  if (rest == 0) return;
  vf before = f->is_first ? splat(0.0f) : load_part(c + i, rest, 0.0f);
  store_part(c + i, finished(f, r, load_part(sums + i, rest, 0.0f), before), rest);
}

// A tile whose columns lie side by side in one image: c [rows, NR].
INLINE void whole_tile(int height, const float *a, const float *b, long k, float *c, long c_row, int rows, const Finish *f) {
  vf sums[MR][NV];
#ifdef ISA
#pragma GCC unroll 16
  for (int r = 0; r < height; r++) __builtin_prefetch(c + r * c_row, 1), __builtin_prefetch(c + r * c_row + NR - 1, 1);
#endif
  multiply_into(sums, height, a, height, b, NR, k);
#pragma GCC unroll 16
  for (int r = 0; r < height; r++) {
    if (r >= rows) break;
    float *to = c + r * c_row;
    for (int v = 0; v < NV; v++) {
      store(to + v * VL, finished(f, r, sums[r][v], f->is_first ? sums[r][v] : load(to + v * VL)));
    }
  }
}

INLINE void multiply_aside(int height, const float *a, const float *b, long k, float *tile) {
  vf sums[MR][NV];
  multiply_into(sums, height, a, height, b, NR, k);
#pragma GCC unroll 16
  for (int r = 0; r < height; r++) store(tile + r * NR, sums[r][0]), store(tile + r * NR + VL, sums[r][1]);
}

// Any tile: columns n .. n + columns - 1 of the job, for the rows from m on.
static void part_tile(const Job *job, int height, const float *a, const float *b, long k, long group, long m, long n,
                      long columns, int rows, const Finish *f) {
  float tile[MR * NR];
  if (height == TALL) multiply_aside(TALL, a, b, k, tile);
  else if (height == MIDDLE) multiply_aside(MIDDLE, a, b, k, tile);
  else multiply_aside(LOW, a, b, k, tile);
  long pixels = job->w.out_height * job->w.out_width, per_image = job->rows * job->w.out_width;
  for (long lane = 0; lane < columns;) {
    long image = job->image0 + (n + lane) / per_image, at = (n + lane) % per_image;
    long run = min_long(columns - lane, per_image - at);
    float *c = job->out + ((image * job->groups + group) * job->outputs + m) * pixels + job->row0 * job->w.out_width + at;
    for (int r = 0; r < rows; r++) finish_run(f, r, tile + r * NR + lane, c + r * pixels, run);
    lane += run;
  }
}

// Columns of one strip of the block by the strips of rows s0 .. s1 - 1.
static void multiply_column_strip(const Job *job, const float *b, long k0, long k, long group, long n, long s0, long s1) {
  long terms = terms_of(job), pixels = job->w.out_height * job->w.out_width, per_image = job->rows * job->w.out_width;
  long columns = min_long(NR, job->images * per_image - n), at = n % per_image;
  const float *packed = job->packed + group * padded_rows(job) * terms + k0 * padded_rows(job);
  Finish f = {.is_first = k0 == 0, .is_last = k0 + k == terms, .activation = job->activation};
  for (long s = s0; s < s1; s++) {
    long m = s * MR, channel = group * job->outputs + m;
    int height = (int)(s == strips_of(job) - 1 ? last_rows(job) : MR), rows = (int)min_long(MR, job->outputs - m);
    const float *a = packed + m * k;
    f.bias = job->bias ? job->bias + channel : 0;
    if (columns < NR || at + NR > per_image) {
      part_tile(job, height, a, b, k, group, m, n, columns, rows, &f);
      continue;
    }
    long image = job->image0 + n / per_image;
    float *c = job->out + (image * job->groups * job->outputs + channel) * pixels + job->row0 * job->w.out_width + at;
    if (height == TALL) whole_tile(TALL, a, b, k, c, pixels, rows, &f);
    else if (height == MIDDLE) whole_tile(MIDDLE, a, b, k, c, pixels, rows, &f);
    else whole_tile(LOW, a, b, k, c, pixels, rows, &f);
  }
}

static void multiply_unit(Context *context, const void *data, long unit, int thread) {
  const Job *job = data;
  float *block = scratch_of(context, thread);
  long rows = unit % job->row_blocks, rest = unit / job->row_blocks;
  long columns = rest % job->column_blocks, group = rest / job->column_blocks;
  long s0 = rows * job->block_rows, s1 = min_long(s0 + job->block_rows, strips_of(job));
  long terms = terms_of(job), stretch = stretch_of(terms), total = job->images * job->rows * job->w.out_width;
  long n0 = columns * job->block_strips * NR, n1 = min_long(n0 + job->block_strips * NR, total);
  long plane = job->copy ? spread_size(&job->spread) : job->w.height * job->w.width;
  const float *source = job->source + group * job->channels * plane;
  for (long k0 = 0; k0 < terms; k0 += stretch) {
    long k = min_long(stretch, terms - k0);
    const int32_t *offsets = job->offsets + k0;
    for (long n = n0; n < n1; n += NR) {
      Piece pieces[NR];
      long width = min_long(NR, n1 - n);
      int count = cut_strip(job, n, width, pieces);
      float *to = block + (n - n0) * k;
      // The last piece reaches farthest, and of the terms the last one.
      if (source + job->offsets[terms - 1] + pieces[count - 1].from >= job->safe_end) {
        pack_columns_exactly(source, offsets, pieces, count, width, k, to);
      } else {
        pack_columns(source, offsets, pieces, count, k, to);
      }
    }
    for (long n = n0; n < n1; n += NR) multiply_column_strip(job, block + (n - n0) * k, k0, k, group, n, s0, s1);
  }
}

// Cuts the columns of the images and rows at hand into blocks, and the rows where there are few columns.
static void cut_work(Job *job) {
  long strips = ceil_div(job->images * job->rows * job->w.out_width, NR);
  long wanted = ceil_div(UNITS, job->groups);
  job->block_strips = max_long(1, min_long(BLOCK_COLUMNS / NR, strips / wanted));
  job->column_blocks = ceil_div(strips, job->block_strips);
  long most = max_long(1, strips_of(job) / LEAST_ROW_STRIPS);
  job->block_rows = ceil_div(strips_of(job), max_long(1, min_long(most, wanted / job->column_blocks)));
  job->row_blocks = ceil_div(strips_of(job), job->block_rows);
}

static void find_offsets(Job *job, long plane) {
  long at = 0;
  for (long c = 0; c < job->channels; c++) {
    for (long u = 0; u < job->w.window_height; u++) {
      for (long v = 0; v < job->w.window_width; v++) {
        long place = job->copy ? place_offset(&job->w, &job->spread, u, v) : u * job->w.width + v;
        job->offsets[at++] = (int32_t)(c * plane + place);
      }
    }
  }
}

static int multiply(Context *context, Job *job) {
  cut_work(job);
  return parallel(context, multiply_unit, job, job->groups * job->column_blocks * job->row_blocks);
}

// x, weight, bias or 0, out, packed weights, offsets, copy or 0, images and rows of results in the copy, batch, groups, channels,
// height, width, outputs, kernel height, kernel width, stride, top, left, out height, out width, activation.
// Packed weights have room for (outputs + 16 groups) terms, offsets for the terms of a group, the copy for the spread images and a
// vector more. Without a copy, windows must step by 1 and lie within the image.
KERNEL(conv2d) {
  Job job = {.x = FLOATS(0), .weight = FLOATS(1), .bias = FLOATS(2), .out = FLOATS(3), .packed = FLOATS(4)};
  job.offsets = INTS(5), job.copy = FLOATS(6), job.images = LONG(7), job.rows = LONG(8);
  job.batch = LONG(9), job.groups = LONG(10), job.channels = LONG(11) / job.groups, job.outputs = LONG(14) / job.groups;
  job.w = (Windows){.height = LONG(12), .width = LONG(13), .window_height = LONG(15), .window_width = LONG(16)};
  job.w.stride_height = job.w.stride_width = LONG(17), job.w.top = LONG(18), job.w.left = LONG(19);
  job.w.out_height = LONG(20), job.w.out_width = LONG(21), job.activation = (int)LONG(22);
  long channels = job.groups * job.channels, image_size = job.w.height * job.w.width;
  int lost = parallel(context, pack_weight_unit, &job, job.groups * strips_of(&job));
  if (!job.copy) {
    job.source = job.x, job.image_step = channels * image_size, job.row_step = job.w.width;
    job.images = job.batch, job.rows = job.w.out_height;
    job.safe_end = job.x + job.batch * channels * image_size - VL + 1;
    find_offsets(&job, image_size);
    return lost | multiply(context, &job);
  }
  long images = job.images, rows = job.rows;
  for (job.row0 = 0; job.row0 < job.w.out_height; job.row0 += rows) {
    job.rows = min_long(rows, job.w.out_height - job.row0);
    job.spread = spread_for(&job.w, job.rows);
    long plane = spread_size(&job.spread);
    job.source = job.copy, job.image_step = channels * plane, job.row_step = job.spread.columns;
    find_offsets(&job, plane);
    for (job.image0 = 0; job.image0 < job.batch; job.image0 += images) {
      job.images = min_long(images, job.batch - job.image0);
      job.safe_end = job.copy + job.images * job.image_step;
      lost |= parallel(context, spread_unit, &job, job.images * channels);
      lost |= multiply(context, &job);
    }
  }
  return lost;
}
