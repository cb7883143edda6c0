import { type Backend, dispose, scope, tensor, toFloat32Array } from '@dit/tensor'
import { networkInput, type Preprocessing } from '@dit/features'
import { describe, expect, test } from 'vitest'
import { EFFICIENT_NET_LITE0 } from '../../src/efficientnet/network.js'
import { INCEPTION } from '../../src/inception/network.js'
import { loadNetwork, storedShapes } from '../../src/network/load.js'
import { layersOf, type Network, runNetwork } from '../../src/network/network.js'
import { expectedFeatures, relativeError } from '../expect-like.js'
import { formulaFile, formulaPictures } from '../formula.js'

export interface NetworkCase {
  readonly fixture: string
  readonly network: Network
  readonly preprocessing: Preprocessing
  /** Of the formula's picture. */
  readonly from: readonly [height: number, width: number]
}

/** At 75 pixels the same convolutions take a twentieth of the time. */
export const SMALL_INCEPTION: NetworkCase = {
  fixture: 'inception-75',
  network: INCEPTION,
  preprocessing: { size: [75, 75], resize: 'tf1-bilinear', mean: 128, std: 128 },
  from: [75, 75],
}

export const WHOLE_INCEPTION: NetworkCase = {
  fixture: 'inception',
  network: INCEPTION,
  preprocessing: { size: [299, 299], resize: 'tf1-bilinear', mean: 128, std: 128 },
  from: [48, 40],
}

export const LITE0: NetworkCase = {
  fixture: 'lite0',
  network: EFFICIENT_NET_LITE0,
  preprocessing: { size: [224, 224], resize: 'clean-bicubic', mean: 127, std: 128 },
  from: [48, 40],
}

/**
 * Networks with weights by formula, against torch in float64.
 *
 * @param tolerance relative to the largest value of a layer
 */
export function testLikeTorch(backend: Backend, cases: readonly NetworkCase[], tolerance: number): void {
  describe.each(cases)('$fixture on ' + backend.name, (network) => {
    test('every layer is that of torch', () => expectLikeTorch(backend, network, tolerance))
  })
}

/** One network, every layer; nothing of it stays behind. */
export async function expectLikeTorch(
  backend: Backend,
  { fixture, network, preprocessing, from }: NetworkCase,
  tolerance: number,
): Promise<void> {
  const expected = await expectedFeatures(fixture)
  const [height, width] = preprocessing.size
  const input = networkInput(formulaPictures(1, ...from), preprocessing)
  const layers = layersOf(network).map(({ name }) => name)
  expect(layers.toSorted()).toEqual(Object.keys(expected).toSorted())
  const before = backend.memory().buffers
  const params = await loadNetwork('test', network, formulaFile(storedShapes(network)), backend)
  const features = scope(() => runNetwork(network, params, tensor(input, [1, 3, height, width], { backend }), layers))
  for (const [layer, want] of Object.entries(expected)) {
    expect(relativeError(await toFloat32Array(features[layer]), want), layer).toBeLessThan(tolerance)
  }
  dispose([params, features])
  expect(backend.memory().buffers).toBe(before)
}
