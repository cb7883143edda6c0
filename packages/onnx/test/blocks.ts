import { type DiTConfig, ditConfig, forward } from '@dit/model'
import type { Block } from '@dit/model/blocks'
import { denoiserGraph } from '@dit/onnx'
import { randomNormal, randomStream } from '@dit/tensor'
import { expectSame, type Feeds, movedParams, run } from './runtime.js'

export const config = ditConfig('DiT-S/2', { inputSize: [4, 6], depth: 2, hiddenSize: 24, numHeads: 3, numClasses: 5 })

/** Compares a graph with `forward`, on batches of some sizes. */
export async function expectAgreement(of: DiTConfig, counts: readonly number[] = [1, 3], block?: Block): Promise<void> {
  const weights = movedParams(of, block)
  const graph = denoiserGraph(of, { block })
  for (const count of counts) {
    const [timesteps, labels] = [
      [39, 0, 13],
      [4, 0, 5],
    ].map((values) => values.slice(0, count))
    const shape = [count, of.inChannels, ...(of.inputSize as readonly number[])]
    const xt = randomNormal(shape, randomStream(3, 'xt'))
    const guidance = of.guidanceRange === undefined ? undefined : [1, 2.75, 1.5].slice(0, count)
    const given: Feeds = {
      ...(guidance === undefined ? {} : { guidance: [[count], Float32Array.from(guidance)] }),
      xt: [shape, Float32Array.from(await xt.data())],
      timesteps: [[labels.length], Float32Array.from(timesteps)],
      labels: [[labels.length], BigInt64Array.from(labels.map(BigInt))],
    }
    await expectSame(
      await run(graph, weights, given),
      forward(of, weights, { xt, timesteps, labels, guidance }, { block }),
    )
  }
}
