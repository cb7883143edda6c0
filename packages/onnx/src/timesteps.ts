import { type DiTConfig, TIMESTEP_FEATURES } from '@dit/model'
import type { GraphBuilder } from './graph.js'
import { operationsOf } from './operations.js'
import { rowsOfTable } from './rows-of-table.js'

/** Sinusoidal features of timesteps, `[B, 256]`: cosines, then sines. Peebles & Xie 2022, appendix A. */
export function timestepFeatures(
  graph: GraphBuilder,
  { timestepFrequencyShift = 0 }: DiTConfig,
  timesteps: string,
): string {
  return featuresOf(graph, timesteps, timestepFrequencyShift)
}

function featuresOf(graph: GraphBuilder, numbers: string, frequencyShift: 0 | 1): string {
  const { concat, mul, reshape } = operationsOf(graph)
  const half = TIMESTEP_FEATURES / 2
  const frequency = (_: unknown, i: number) => Math.exp((-Math.log(10000) * i) / (half - frequencyShift))
  const frequencies = graph.floats(Float32Array.from({ length: half }, frequency), [1, half])
  const angles = mul(reshape(numbers, [-1, 1]), frequencies) // [B, 128]
  return concat([graph.node('Cos', [angles]), graph.node('Sin', [angles])], 1) // [B, 256]
}

/** The same of scales of guidance, `[B]`, the ends of their range as 0 and 1,000. Meng et al. 2023, section 3.1. */
export function guidanceFeatures(graph: GraphBuilder, [low, high]: readonly [number, number], scales: string): string {
  const number = (value: number) => graph.floats(Float32Array.of(value), [1])
  const { mul } = operationsOf(graph)
  const scaled = mul(graph.node('Sub', [scales, number(low)]), number(1000 / (high - low))) // [B]
  return featuresOf(graph, scaled, 0)
}

/** Rows of a learned table of timesteps, `[B, D]`. */
export function timestepRows(graph: GraphBuilder, config: DiTConfig, timesteps: string): string {
  const { hiddenSize, numTimesteps = 1000 } = config
  return rowsOfTable(
    graph,
    { name: 't_embedder.embedding_table.weight', rows: numTimesteps, width: hiddenSize },
    timesteps,
  )
}
