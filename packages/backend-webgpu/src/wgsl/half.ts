/**
 * How operands of products lie in shared memory: as f32; as f16, which needs `shader-f16`; or as pairs of halves in u32, which
 * every device unpacks. The last two hold the same bits.
 */
export type Half = 'none' | 'f16' | 'packed'

/** WGSL for tiles of groups of four operands. */
export interface HalfTiles {
  readonly type: string
  readonly bytes: number
  readonly directives: string
  readonly declarations: string
  /** Four f32 as they are kept. */
  readonly narrow: (text: string) => string
  /** What is kept as four f32. */
  readonly wide: (text: string) => string
}

// Beyond 65504, the largest half number, WGSL leaves the result of a conversion open. Here it is infinity, which is one more than the
// bits of 65504, so that a gradient that has grown too large is seen in the norm of the gradient.
const BITS = `
fn half_bits(x: vec4<f32>) -> vec2<u32> {
  let near = clamp(x, vec4<f32>(-65504.0), vec4<f32>(65504.0));
  let over = select(vec4<u32>(1u, 0x10000u, 1u, 0x10000u), vec4<u32>(0u), abs(x) <= vec4<f32>(65504.0));
  return vec2<u32>(pack2x16float(near.xy) + over.x + over.y, pack2x16float(near.zw) + over.z + over.w);
}`

const kinds: Readonly<Record<Half, HalfTiles>> = {
  none: {
    type: 'vec4<f32>',
    bytes: 16,
    directives: '',
    declarations: '',
    narrow: (text) => text,
    wide: (text) => text,
  },
  f16: {
    type: 'vec4<f16>',
    bytes: 8,
    directives: 'enable f16;',
    declarations: `${BITS}
fn to_half(x: vec4<f32>) -> vec4<f16> { return bitcast<vec4<f16>>(half_bits(x)); }`,
    narrow: (text) => `to_half(${text})`,
    wide: (text) => `vec4<f32>(${text})`,
  },
  packed: {
    type: 'vec2<u32>',
    bytes: 8,
    directives: '',
    declarations: `${BITS}
fn from_half(x: vec2<u32>) -> vec4<f32> { return vec4<f32>(unpack2x16float(x.x), unpack2x16float(x.y)); }`,
    narrow: (text) => `half_bits(${text})`,
    wide: (text) => `from_half(${text})`,
  },
}

export function halfTiles(half: Half): HalfTiles {
  return kinds[half]
}
