import type { Tolerance } from './cases.js'
import { type EngineRow, isBf16, rowName } from './engines.js'

/** The figures that an engine gave for a case; null where it has draws of its own. */
export interface CheckedRow extends EngineRow {
  readonly values: readonly number[] | null
}

/** How far engines are apart. */
export interface Agreement {
  /** Largest difference over its tolerance; 0 where there was nothing to compare. */
  readonly worst: number
  /** One line for each engine that computes something else; none where all agree. */
  readonly complaints: readonly string[]
}

/**
 * Compares every engine's figures with those of the first that has some, if possible in float32.
 *
 *   |a - b| <= tolerance (1 + |b|)
 */
export function compareRows(rows: readonly CheckedRow[], tolerance: Tolerance): Agreement {
  const compared = rows
    .filter(({ values }) => values !== null)
    .toSorted((a, b) => Number(isBf16(a.engine)) - Number(isBf16(b.engine)))
  let worst = 0
  const complaints: string[] = []
  for (const row of compared) {
    const share = worstShare(row.values!, compared[0].values!, isBf16(row.engine) ? tolerance.bf16 : tolerance.f32)
    worst = Math.max(worst, share)
    if (share > 1) {
      complaints.push(
        `${rowName(row)} is ${share.toPrecision(3)} times the tolerance away from ${rowName(compared[0])}: ` +
          `${shortened(row.values!)} and ${shortened(compared[0].values!)}`,
      )
    }
  }
  return { worst, complaints }
}

/** Infinity for figures that are missing or not finite. */
function worstShare(values: readonly number[], expected: readonly number[], tolerance: readonly number[]): number {
  if (values.length !== tolerance.length) return Infinity
  const shares = values.map((value, i) => Math.abs(value - expected[i]) / (1 + Math.abs(expected[i])) / tolerance[i])
  return shares.every(Number.isFinite) ? Math.max(...shares) : Infinity
}

function shortened(values: readonly number[]): string {
  const first = values.slice(0, 4).map((value) => value.toPrecision(8))
  return `[${first.join(', ')}${values.length > 4 ? ', ...' : ''}]`
}
