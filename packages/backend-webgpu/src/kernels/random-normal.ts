import { type FusedKernels, sizeOf } from '@dit/tensor'
import { writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'
import { precise } from '../wgsl/functions.js'

const LANES = 256
/** Words of one block of Philox. */
const BLOCK = 4

/**
 * The words of Philox 4x32-10 are those of `@dit/random` bit by bit; the transform to normals is the same formula in float32,
 * which keeps it within 4 units in the last place: near u = 1 the logarithm is taken of 1 - u, which is exact there, and
 * the root is corrected by one step of Newton's method.
 *
 * Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"; Box & Muller 1958.
 */
export function randomNormalKernel(runtime: Runtime): Pick<FusedKernels, 'randomNormal'> {
  return {
    randomNormal({ seed, stream }, start, out) {
      const size = sizeOf(out.shape)
      const first = Math.floor(start / BLOCK)
      const skip = start - first * BLOCK
      const blocks = Math.ceil((skip + size) / BLOCK)
      const kernel = runtime.kernel('randomNormal', () => ({
        label: 'randomNormal',
        storage: [writes('out')],
        params: (
          [
            'n',
            'skip',
            'blocks',
            'block_low',
            'block_high',
            'stream_low',
            'stream_high',
            'key_low',
            'key_high',
          ] as const
        ).map((name) => [name, 'u32'] as const),
        workgroupSize: [LANES, 1, 1],
        declarations: `${precise('f32')}${NORMALS}`,
        body: `  let i = (wg.x + wg.y * groups.x) * ${LANES}u + lane;
  if (i >= p.blocks) { return; }
  let low = p.block_low + i;
  let high = p.block_high + select(0u, 1u, low < i);
  let words = philox(vec4<u32>(low, high, p.stream_low, p.stream_high), vec2<u32>(p.key_low, p.key_high));
  let draws = vec4<f32>(pair(words.x, words.y), pair(words.z, words.w));
  for (var k = 0u; k < 4u; k++) {
    let at = 4u * i + k;
    if (at >= p.skip && at - p.skip < p.n) { out[at - p.skip] = draws[k]; }
  }`,
      }))
      const params = [
        size,
        skip,
        blocks,
        first % 2 ** 32,
        Math.floor(first / 2 ** 32),
        stream[0],
        stream[1],
        seed % 2 ** 32,
        Math.floor(seed / 2 ** 32),
      ]
      runtime.run(kernel, [], [out], params, spread(Math.ceil(blocks / LANES)))
    },
  }
}

const NORMALS = `
fn high_product(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  let carry = a0 * b1 + (middle & 0xffffu);
  return a1 * b1 + (middle >> 16u) + (carry >> 16u);
}
fn philox(counter: vec4<u32>, given: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var key = given;
  for (var round = 0; round < 10; round++) {
    c = vec4<u32>(
      high_product(c.z, 0xcd9e8d57u) ^ c.y ^ key.x, c.z * 0xcd9e8d57u,
      high_product(c.x, 0xd2511f53u) ^ c.w ^ key.y, c.x * 0xd2511f53u);
    key += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}
// -log((a + 1/2) / 2^32)
fn minus_log(a: u32) -> f32 {
  if (a < 0x80000000u) { return -exact_log((f32(a) + 0.5) * 2.3283064365386963e-10); }
  let z = (f32(~a) + 0.5) * 2.3283064365386963e-10;
  let s = z / (2.0 - z);
  let q = s * s;
  var y = fma(q, 0.06666667, 0.07692308);
  y = fma(q, y, 0.09090909);
  y = fma(q, y, 0.11111111);
  y = fma(q, y, 0.14285715);
  y = fma(q, y, 0.2);
  y = fma(q, y, 0.33333334);
  return 2.0 * fma(s * q, y, s);
}
fn pair(a: u32, b: u32) -> vec2<f32> {
  let square = 2.0 * minus_log(a);
  let root = sqrt(square);
  let radius = fma(fma(-root, root, square), 0.5 / root, root);
  let quarter = ((b + 0x20000000u) >> 30u) & 3u;
  let x = (f32(bitcast<i32>(b - quarter * 0x40000000u)) + 0.5) * 1.4629180792671596e-9;
  let c = radius * cos_part(x);
  let s = radius * sin_part(x);
  switch quarter {
    case 0u: { return vec2<f32>(c, s); }
    case 1u: { return vec2<f32>(-s, c); }
    case 2u: { return vec2<f32>(-c, -s); }
    default: { return vec2<f32>(s, -c); }
  }
}
`
