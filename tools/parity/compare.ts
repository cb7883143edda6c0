import type { Fixture, Values } from './fixture.js'
import type { TensorEntry, Tolerance } from './manifest.js'

/**
 * Largest error of a computed tensor in units of its tolerance: 1 or less passes, Infinity is a wrong shape, a wrong exact
 * value or a value that is not finite where it should be.
 */
export function errorOverTolerance(entry: TensorEntry, fixture: Fixture, got: ArrayLike<number>): number {
  const want = fixture.values(entry.ref64 ?? entry.name)
  if (got.length !== want.length) return Infinity
  const { tolerance } = entry
  if (tolerance === undefined) return Infinity
  if (tolerance === 'exact') return Array.prototype.every.call(got, (value, i) => value === want[i]) ? 0 : Infinity
  const bound = boundAt(entry, tolerance, want)
  let worst = 0
  for (let i = 0; i < want.length; i++) worst = Math.max(worst, share(got[i], want[i], bound(i)))
  return worst
}

function share(got: number, want: number, bound: number): number {
  if (!Number.isFinite(want)) return Object.is(got, want) ? 0 : Infinity
  const error = Math.abs(got - want)
  if (Number.isNaN(error)) return Infinity
  return error === 0 ? 0 : error / bound
}

function boundAt({ shape = [] }: TensorEntry, tolerance: Tolerance, want: Values): (index: number) => number {
  const { atol, rtol, atol_per_step: perStep, exempt } = tolerance
  const stepSize = perStep === undefined ? 0 : want.length / perStep.length
  const axisStride = exempt === undefined ? 0 : shape.slice(exempt.axis + 1).reduce((a, b) => a * b, 1)
  return (index) => {
    if (exempt !== undefined) {
      const position = Math.floor(index / axisStride) % shape[exempt.axis]
      if (position >= exempt.start && position < exempt.end) return exempt.atol
    }
    return (perStep?.[Math.floor(index / stepSize)] ?? atol) + rtol * Math.abs(want[index])
  }
}
