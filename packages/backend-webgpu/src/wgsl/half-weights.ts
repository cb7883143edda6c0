import type { Half } from './half.js'

/** How an operand lies in global memory: in half precision where it is a weight that was stored so. */
export type Stored = 'f32' | 'f16' | 'bf16'

/** Four numbers of two words; the first of a pair lies in the lower bits. */
const floats: Readonly<Record<Exclude<Stored, 'f32'>, string>> = {
  f16: 'vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y))',
  bf16: 'bitcast<vec4<f32>>(vec4<u32>(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u))',
}

/** Element type of the array that is bound: four numbers, or two, which a row of odd length may begin in the middle of. */
export function halfElement(isVector: boolean): string {
  return isVector ? 'vec2<u32>' : 'u32'
}

/** `load_b` for a B in half precision: four neighbours as two words, zero where they lie beyond `rows`. */
export function halfLoader(stored: Exclude<Stored, 'f32'>, width: string, isVector: boolean): string {
  const body = isVector
    ? `  return b[(base + row * p.${width} + column) / 4u];`
    : `  var words = vec2<u32>(0u);
  for (var i = 0u; i < 4u; i++) {
    let at = base + row * p.${width} + column + i;
    if (column + i < p.${width}) { words[i / 2u] |= ((b[at / 2u] >> (at % 2u * 16u)) & 0xffffu) << (i % 2u * 16u); }
  }
  return words;`
  return `fn floats_of(words: vec2<u32>) -> vec4<f32> { return ${floats[stored]}; }
fn load_b(base: u32, row: u32, column: u32, rows: u32) -> vec2<u32> {
  if (row >= rows || column >= p.${width}) { return vec2<u32>(0u); }
${body}
}`
}

/** Two words of `load_b` as shared memory keeps operands: halves that it keeps as halves stay the bits that they are. */
export function keptHalves(stored: Exclude<Stored, 'f32'>, half: Half, narrow: (text: string) => string) {
  if (stored === 'f16' && half === 'packed') return (text: string) => text
  if (stored === 'f16' && half === 'f16') return (text: string) => `bitcast<vec4<f16>>(${text})`
  return (text: string) => narrow(`floats_of(${text})`)
}
