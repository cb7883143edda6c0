import { type Backend, dispose, keep, type Params, scope, tensor, toFloat32Array } from '@dit/tensor'
import type { FeatureExtractor } from '../extractor.js'
import { batchedExtractor } from '../batched-extractor.js'
import type { Preprocessing } from '../preprocess.js'
import { layersOf, type Network, runNetwork } from './network.js'

export interface NetworkExtractorOptions {
  readonly name: string
  readonly fingerprint: string
  readonly network: Network
  /** Disposed of with the extractor. */
  readonly params: Params
  readonly backend: Backend
  readonly preprocessing: Preprocessing
  readonly defaultLayer: string
  /** The layer that an Inception Score is made of. */
  readonly logits: string
  readonly batchSize: number
}

/** A network on one of our engines as a feature extractor. */
export function networkExtractor({
  name,
  fingerprint,
  network,
  params,
  backend,
  preprocessing,
  defaultLayer,
  logits,
  batchSize,
}: NetworkExtractorOptions): FeatureExtractor {
  const [height, width] = preprocessing.size
  return batchedExtractor({
    name,
    fingerprint,
    layers: layersOf(network),
    defaultLayer,
    logits,
    preprocessing,
    batchSize,
    async run(input, count, layers) {
      const features = keep(
        scope(() => runNetwork(network, params, tensor(input, [count, 3, height, width], { backend }), layers)),
      )
      try {
        const values = await Promise.all(Object.values(features).map((each) => toFloat32Array(each)))
        return Object.fromEntries(Object.keys(features).map((layer, i) => [layer, values[i]]))
      } finally {
        dispose(features)
      }
    },
    dispose: () => dispose(params),
  })
}
