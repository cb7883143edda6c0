import { diffusionTables, type LossWeight, lossWeights, namedBetas, type NamedSchedule, snr } from '@dit/schedules'
import type { Case } from '../manifest.js'
import type { KindRunner } from '../outcome.js'

/** Weights of `out.<schedule>.<prediction>.<scheme>`, and `out.<schedule>.snr`, at the case's timesteps. */
export const minSnr: KindRunner = async (entry, fixture, outcome) => {
  for (const { parts, tables, name } of expectedTables(entry)) {
    const [prediction, scheme] = parts
    const values =
      prediction === 'snr'
        ? snr(tables)
        : lossWeights(
            tables,
            weightOf(scheme),
            scheme.startsWith('vmin') ? 'v' : prediction === 'clean' ? 'x0' : 'epsilon',
          )
    outcome.set(
      name,
      Array.from(fixture.ints('t'), (t) => values[t]),
    )
  }
}

/** Weights of `out.<schedule>.g<gamma>.k<k>` at the case's timesteps. */
export const p2: KindRunner = async (entry, fixture, outcome) => {
  for (const { parts, tables, name } of expectedTables(entry)) {
    const [gamma, k] = parts.map((part) => numberOf(part.slice(1)))
    const values = lossWeights(tables, { p2: { k, gamma } }, 'epsilon')
    outcome.set(
      name,
      Array.from(fixture.ints('t'), (t) => values[t]),
    )
  }
}

function expectedTables({ config, tensors }: Case) {
  const tables = Object.fromEntries(
    (config.schedules as [string, number][]).map(([schedule, steps]) => [
      schedule,
      diffusionTables(namedBetas((schedule === 'cosine' ? 'squaredcos_cap_v2' : schedule) as NamedSchedule, steps)),
    ]),
  )
  return tensors!
    .filter(({ role }) => role === 'expected')
    .map(({ name }) => {
      const [, schedule, ...parts] = name.split('.')
      return { name, parts, tables: tables[schedule] }
    })
}

function weightOf(scheme: string): LossWeight {
  const [, kind, gamma] = /^v?(min|max)_snr_(.+)$/.exec(scheme) ?? []
  if (kind === 'min') return { minSnr: numberOf(gamma) }
  if (kind === 'max') return { maxSnr: numberOf(gamma) }
  const plain: Record<string, LossWeight> = {
    constant: 'none',
    snr: 'snr',
    trunc_snr: 'truncatedSnr',
    inv_snr: 'inverseSnr',
  }
  if (plain[scheme] === undefined) throw new Error(`the runner does not know the scheme ${scheme}`)
  return plain[scheme]
}

/** Of a name: 0p5 is 0.5, m1 is -1. */
export function numberOf(text: string): number {
  return Number(text.replace('m', '-').replace('p', '.'))
}
