import {
  conditionInputs,
  type ConditionSpec,
  type ConditionValues,
  type DiTConfig,
  ditConfig,
  forward,
} from '@dit/model'
import { denoiserGraph } from '@dit/onnx'
import { normals } from '@dit/random'
import { randomNormal, randomStream } from '@dit/tensor'
import { expect } from 'vitest'
import { expectSame, type Feeds, movedParams, run } from './runtime.js'

export const LABEL = { name: 'kind', kind: 'label', classes: 3, dropout: 0.2 } as const
export const VECTOR = { name: 'pose', kind: 'vector', size: 2, dropout: 0.1 } as const
export const TOKENS = { name: 'caption', kind: 'tokens', size: 3, most: 4, dropout: 0.5 } as const
export const always = (spec: ConditionSpec): ConditionSpec => ({ ...spec, name: `${spec.name}Always`, dropout: 0 })

export function configOf(conditions: readonly ConditionSpec[], change: Partial<DiTConfig> = {}): DiTConfig {
  return ditConfig('DiT-S/2', {
    inputSize: 4,
    depth: 2,
    hiddenSize: 24,
    numHeads: 3,
    numClasses: 0,
    classDropout: 0,
    conditions,
    ...change,
  })
}

/** Values of a batch of three, the second of which has nulls; tokens of every length, 0 and all included. */
function valuesOf(spec: ConditionSpec): ConditionValues {
  const isNull = [false, spec.dropout > 0, false]
  if (spec.kind === 'label') return { data: [2, 0, 1], isNull }
  const draws = (count: number) => normals(randomStream(5, spec.name), count)
  if (spec.kind === 'vector') return { data: draws(3 * spec.size), isNull }
  return { data: draws(3 * spec.most * spec.size), lengths: [2, spec.most, 0], isNull }
}

export const integers = (values: readonly number[]) => BigInt64Array.from(values.map(BigInt))

/** The same values as inputs of a graph. */
function feedsOf(spec: ConditionSpec, { data, lengths, isNull }: ConditionValues): Feeds {
  const dropped = Array.from(isNull!)
  if (spec.kind === 'label') {
    const rows = Array.from(data, (row, i) => (dropped[i] ? spec.classes : row))
    return { [spec.name]: [[3], integers(rows)] }
  }
  const shape = spec.kind === 'vector' ? [3, spec.size] : [3, spec.most, spec.size]
  return {
    [spec.name]: [shape, Float32Array.from(data)],
    ...(lengths === undefined ? {} : { [`${spec.name}.length`]: [[3], integers(Array.from(lengths))] }),
    ...(spec.dropout > 0 ? { [`${spec.name}.null`]: [[3], integers(dropped.map(Number))] } : {}),
  }
}

export async function batchOf(of: DiTConfig) {
  const specs = of.conditions!
  const values = Object.fromEntries(specs.map((spec) => [spec.name, valuesOf(spec)]))
  const shape = [3, 4, 4, 4]
  const xt = randomNormal(shape, randomStream(3, 'xt'))
  const timesteps = [39, 0, 13]
  const feeds: Feeds = {
    xt: [shape, Float32Array.from(await xt.data())],
    timesteps: [[3], Float32Array.from(timesteps)],
    ...Object.assign({}, ...specs.map((spec) => feedsOf(spec, values[spec.name]))),
  }
  return { xt, timesteps, values, feeds }
}

/** Compares a graph with `forward` on a batch. */
export async function expectAgreement(of: DiTConfig): Promise<void> {
  const weights = movedParams(of)
  const { xt, timesteps, values, feeds } = await batchOf(of)
  const graph = denoiserGraph(of)
  expect(graph.inputs.map(({ name }) => name)).toEqual(Object.keys(feeds))
  const conditions = conditionInputs(of, values, 3)
  await expectSame(await run(graph, weights, feeds), forward(of, weights, { xt, timesteps, conditions }))
}
