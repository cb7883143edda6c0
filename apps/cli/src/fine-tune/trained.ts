import { adapterNames, adapterShapes, parameterShapes, parameterTable } from '@dit/model'
import { sizeOf } from '@dit/tensor'
import { isKnownSpec, type LowRankSpec } from '@dit/train-ddp'
import type { RunConfig } from '../run/run-config.js'
import { formatBytes, formatCount } from '../terminal/format.js'

type Run = Pick<RunConfig, 'objective' | 'recipe'>

/** How much of a network a run trains. */
export interface Trained {
  /** Parameters that are updated. */
  readonly trained: number
  /** Parameters of the network that could be. */
  readonly all: number
  /** Of them, those to which adapters are added. */
  readonly adapted: number
  /** Beside adapters, those that are trained themselves. */
  readonly full: number
}

/** The adapters of a run; null for a run that trains the weights themselves. */
export function loraOf({ objective }: Pick<Run, 'objective'>): LowRankSpec | null {
  return isKnownSpec(objective) ? (objective.network.lora ?? null) : null
}

export function isLora(run: Pick<Run, 'objective'>): boolean {
  return loraOf(run) !== null
}

/** Counts what a run trains; null for a run of a module. */
export function countTrained(run: Run): Trained | null {
  const { objective, recipe } = run
  if (!isKnownSpec(objective)) return null
  const { config } = objective.network
  const table = Object.entries(parameterTable(config)).filter(([, { isTrainable }]) => isTrainable)
  const sizes = new Map(table.map(([name, { shape }]) => [name, sizeOf(shape)]))
  const all = sum([...sizes.values()])
  const lora = loraOf(run)
  if (lora !== null) {
    const shapes = adapterShapes(parameterShapes(config), lora)
    const targets = [...sizes].filter(([name]) => adapterNames(name)[0] in shapes)
    const trained = sum(Object.values(shapes).map((shape) => sizeOf(shape)))
    const full = sum([...sizes].flatMap(([name, size]) => (name in shapes ? [size] : [])))
    return { trained, all, adapted: sum(targets.map(([, size]) => size)), full }
  }
  const { groups = [] } = recipe
  const isFrozen = (name: string) => groups.find(({ match }) => new RegExp(match).test(name))?.isFrozen === true
  return {
    trained: sum([...sizes].flatMap(([name, size]) => (isFrozen(name) ? [] : [size]))),
    all,
    adapted: 0,
    full: 0,
  }
}

/** Numbers that training keeps for each trained parameter beside it: the gradient, two moments and the average. */
const KEPT = 4

/** Bytes of gradients, moments and averages, in float32. */
export function keptBytes(parameters: number): number {
  return KEPT * parameters * Float32Array.BYTES_PER_ELEMENT
}

/** What is trained, in words; null where it is everything. */
export function trainedText(run: Run): string | null {
  const counted = countTrained(run)
  if (counted === null) return null
  const { trained, all, full } = counted
  const lora = loraOf(run)
  if (trained === all && lora === null) return null
  const what =
    lora === null
      ? `${formatCount(trained)} of ${formatCount(all)} parameters; the others are frozen`
      : `${formatCount(trained)} parameters beside ${formatCount(all - full)} frozen ones: adapters of rank ${lora.rank}, alpha ${lora.alpha}${full === 0 ? '' : `, and ${formatCount(full)} in full`}`
  return `${what}. Gradients, moments and averages take ${formatBytes(keptBytes(trained))} instead of ${formatBytes(keptBytes(all))}`
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0)
}
