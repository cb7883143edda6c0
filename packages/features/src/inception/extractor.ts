import type { ByteSource } from '@dit/checkpoint'
import { type Backend, currentBackend } from '@dit/tensor'
import { checkBatching } from '../batched-extractor.js'
import type { FeatureExtractor } from '../extractor.js'
import { loadNetwork } from '../network/load.js'
import { networkExtractor } from '../network/network-extractor.js'
import type { Preprocessing } from '../preprocess.js'
import { readWeights } from '../read-weights.js'
import { checkInceptionNames } from './check-names.js'
import { INCEPTION } from './network.js'

/** The file that FID is defined by: the network of 2015-12-05 as pytorch-fid and torch-fidelity publish it, with the same bytes. */
export const FID_INCEPTION_FILE = {
  names: ['pt_inception-2015-12-05-6726825d.pth', 'weights-inception-2015-12-05-6726825d.pth'],
  bytes: 95_628_359,
  sha256: '6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2',
} as const

/**
 * What programs do to pictures before the FID Inception. The first is that of ADM's evaluator, of torch-fidelity and of the papers; the
 * numbers of another differ from theirs.
 */
export const FID_PREPROCESSINGS = {
  tensorflow: { size: [299, 299], resize: 'tf1-bilinear', mean: 128, std: 128 },
  'clean-fid': { size: [299, 299], resize: 'clean-bicubic', mean: 128, std: 128 },
  'pytorch-fid': { size: [299, 299], resize: 'half-pixel-bilinear', mean: 127.5, std: 127.5 },
} as const satisfies Record<string, Preprocessing>

export interface InceptionOptions {
  /** Where the network runs; the current backend by default. */
  readonly backend?: Backend
  /** Whose preprocessing; `tensorflow` by default. */
  readonly preprocessing?: keyof typeof FID_PREPROCESSINGS
  /** Pictures at a time, 8 by default. Each takes some 30 MB while it runs. */
  readonly batchSize?: number
}

/**
 * The Inception v3 of FID, sFID, KID and the Inception Score, from the file that pytorch-fid or torch-fidelity publishes, or from the same
 * tensors as safetensors. Layers: `64`, `192`, `768`, `2048` (spatial means; the last is FID's), `spatial` (sFID's), `logits_unbiased`
 * (the Inception Score's) and `logits`.
 *
 * Only the published file under the preprocessing of the papers is called `inception-v3-fid`. Other weights of the same shape are
 * `inception-v3-fid (other weights)`: a distance on their features is no FID.
 *
 * ```js
 * const extractor = await inceptionExtractor(await readFile('pt_inception-2015-12-05-6726825d.pth'))
 * const { 2048: features } = await extractor.extract(pictures)
 * ```
 *
 * @param source the whole file, or where to read it
 * @throws RangeError where the file holds another network, or weights that are not finite; the errors of `openTensors` for a damaged file
 *
 * Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule"; Salimans et al. 2016, "Improved Techniques for Training GANs".
 */
export async function inceptionExtractor(
  source: Uint8Array | ByteSource,
  { backend = currentBackend(), preprocessing = 'tensorflow', batchSize = 8 }: InceptionOptions = {},
): Promise<FeatureExtractor> {
  const who = 'inceptionExtractor'
  if (!Object.hasOwn(FID_PREPROCESSINGS, preprocessing)) {
    const known = Object.keys(FID_PREPROCESSINGS).join(', ')
    throw new RangeError(`${who}: preprocessing must be one of ${known} (got ${preprocessing})`)
  }
  checkBatching(who, FID_PREPROCESSINGS[preprocessing], batchSize)
  const { file, sha256 } = await readWeights(source)
  checkInceptionNames(who, file)
  const params = await loadNetwork(who, INCEPTION, file, backend)
  const notes = [
    ...(sha256 === FID_INCEPTION_FILE.sha256 ? [] : ['other weights']),
    ...(preprocessing === 'tensorflow' ? [] : [`preprocessing of ${preprocessing}`]),
  ]
  return networkExtractor({
    name: `inception-v3-fid${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`,
    fingerprint: preprocessing === 'tensorflow' ? sha256 : `${sha256} ${preprocessing}`,
    network: INCEPTION,
    params,
    backend,
    preprocessing: FID_PREPROCESSINGS[preprocessing],
    defaultLayer: '2048',
    logits: 'logits_unbiased',
    batchSize,
  })
}
