/** What is measured: a precision of ours, `+units` through matrix units. */
export type Precision = 'f32' | 'f16' | 'f32+units' | 'f16+units'

/** A line of the report. */
export interface Rate {
  readonly part: string
  readonly name: string
  readonly precision: string
  /** Of one call, from submits that are all done: least, middle, most of five runs. */
  readonly milliseconds: readonly number[]
  /** Multiply-adds counted as two. */
  readonly teraflops: number
  readonly imagesPerSecond?: number
  readonly peakBytes: number
}

/** M, N, K of products. */
export const GEMMS: readonly (readonly [M: number, N: number, K: number])[] = [
  [1024, 1024, 1024],
  [2048, 2048, 2048],
  [4096, 4096, 4096],
  [8192, 3456, 1152],
  [8192, 1152, 4608],
]

/** Shapes of attention. */
export const ATTENTIONS: readonly (readonly [batch: number, tokens: number, heads: number, headDim: number])[] = [
  [32, 256, 12, 64],
  [32, 256, 16, 72],
  [8, 1024, 16, 72],
  [2, 4096, 16, 72],
]

/** TFLOP/s that a card can do at most in products, by the maker's data sheets: f32 without TF32, and f16 in matrix units, dense. */
const PEAKS: readonly (readonly [card: RegExp, f32: number, f16: number])[] = [
  [/H100|H200/, 66.9, 989.4],
  [/A100/, 19.5, 311.9],
]

/** The peaks for a card: `--peak f32:66.9,f16:989`, or those known by its name; null where neither tells. */
export function peaksOf(adapter: string, given: string | undefined): Readonly<Record<'f32' | 'f16', number>> | null {
  if (given !== undefined) {
    const [f32, f16] = ['f32', 'f16'].map((name) => Number(new RegExp(`\\b${name}:([0-9.]+)`).exec(given)?.[1]))
    if (f32 > 0 && f16 > 0) return { f32, f16 }
    throw new RangeError(`card: --peak must be like f32:66.9,f16:989.4, in TFLOP/s (got ${given})`)
  }
  const known = PEAKS.find(([card]) => card.test(adapter))
  return known === undefined ? null : { f32: known[1], f16: known[2] }
}
