import type { ConditionSpec, DiTConfig } from '@dit/model'
import type { GraphBuilder } from './graph.js'

/** Values of the graph that say what the network is told of one thing. */
export interface Told {
  readonly data: string
  /** Tokens: how many there are. */
  readonly length?: string | undefined
  /** Whether it is dropped, where a row of a table does not say so. */
  readonly isNull?: string | undefined
}

/** All that a network is told besides the timestep, by name. */
export type AllTold = ReadonlyMap<string, Told>

/** The label of a network without conditions. */
const LABEL = 'labels'

/** Names that mean something else. */
const TAKEN = ['xt', 'timesteps', 'guidance', 'guidance_scale', 'output']

/** The conditions of a network, a published one's label among them. */
export const specsOf = ({ conditions, numClasses, classDropout }: DiTConfig): readonly ConditionSpec[] =>
  conditions ?? [{ name: LABEL, kind: 'label', classes: numClasses, dropout: classDropout }]

/**
 * Declares the inputs of a graph for what its network is told: `labels`, or for each condition
 *
 * - label: int64 `[batch]`, where the number of classes is null
 * - vector: float `[batch, size]`
 * - tokens: float `[batch, most, size]`, and `<name>.length`, int64 `[batch]`
 * - vector and tokens that can be dropped: `<name>.null`, int64 `[batch]`, 1 for null and else 0
 *
 * @throws RangeError for a condition that is called as something else is
 */
export function toldInputs(graph: GraphBuilder, config: DiTConfig): AllTold {
  const told = specsOf(config).map((spec): [string, Told] => {
    const { name, kind, dropout } = spec
    if (TAKEN.includes(name)) {
      throw new RangeError(`denoiserGraph: a condition must not be called ${name}, which the graph has beside it`)
    }
    if (kind === 'label') return [name, { data: graph.input(name, 'int64', ['batch']) }]
    const shape = kind === 'vector' ? ['batch', spec.size] : ['batch', spec.most, spec.size]
    return [
      name,
      {
        data: graph.input(name, 'float', shape),
        length: kind === 'tokens' ? graph.input(`${name}.length`, 'int64', ['batch']) : undefined,
        isNull: dropout > 0 ? graph.input(`${name}.null`, 'int64', ['batch']) : undefined,
      },
    ]
  })
  return new Map(told)
}

/**
 * What is told of a doubled batch: as it is, and then nothing.
 *
 * @param none the label that stands for no class, of a network without conditions
 * @throws RangeError where there is nothing that could be dropped, or something that cannot
 */
export function withNulls(graph: GraphBuilder, config: DiTConfig, told: AllTold, none: number | undefined): AllTold {
  const specs = specsOf(config)
  if (config.conditions !== undefined && none !== undefined) {
    throw new RangeError('denoiserGraph: nullLabel is for a network that has labels (it has conditions)')
  }
  if (specs.length === 0) throw new RangeError('denoiserGraph: guidance needs a condition (the network has none)')
  const twice = (value: string) => graph.node('Concat', [value, value], { axis: 0 })
  const doubled = specs.map((spec): [string, Told] => {
    const { data, length, isNull } = told.get(spec.name)!
    const missing =
      config.conditions === undefined ? 'a null class (classDropout is 0)' : `a null of ${spec.name} (its dropout is 0)`
    const label = none ?? (spec.kind === 'label' && spec.dropout > 0 ? spec.classes : null)
    if (spec.kind === 'label' ? label === null : isNull === undefined) {
      throw new RangeError(`denoiserGraph: guidance needs ${missing}`)
    }
    const filled = (value: number, like: string) =>
      graph.node('Concat', [like, graph.node('Expand', [graph.integers([value]), graph.node('Shape', [like])])], {
        axis: 0,
      })
    if (spec.kind === 'label') return [spec.name, { data: filled(label!, data) }]
    return [
      spec.name,
      { data: twice(data), length: length === undefined ? undefined : twice(length), isNull: filled(1, isNull!) },
    ]
  })
  return new Map(doubled)
}
