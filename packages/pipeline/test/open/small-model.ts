import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { ProcessSpec } from '@dit/diffusion'
import { type DiTConfig, initParams } from '@dit/model'
import { add, affine, randomNormal, randomStream, reference, scope, type Tensor } from '@dit/tensor'
import type { Pipeline, SaveOptions } from '../../src/node/index.js'
import { openPipeline } from '../../src/node/index.js'
import type { Files } from './serve-folder.js'

const NETWORK: DiTConfig = {
  inputSize: 8,
  patchSize: 4,
  inChannels: 3,
  hiddenSize: 24,
  depth: 1,
  numHeads: 2,
  mlpRatio: 4,
  numClasses: 2,
  classDropout: 0.1,
  learnSigma: true,
}

/** A model whose pictures depend on every parameter, as those of fresh ones do not. It predicts x0, since guesses of noise end in black and white. */
export async function smallModel(
  process: ProcessSpec = { meanType: 'x0' },
  network: Partial<DiTConfig> = {},
  classNames = ['disc', 'square'],
): Promise<Pipeline> {
  const backend = reference()
  const config = { ...NETWORK, ...network }
  const fresh = initParams(config, { seed: 0, backend })
  const noisy = (name: string, value: Tensor) =>
    scope(() => add(value, affine(randomNormal(value.shape, randomStream(0, name), { backend }), 0.2)))
  // diffusers computes the positions.
  const params = Object.fromEntries(
    Object.entries(fresh).map(([name, value]) => [name, name === 'pos_embed' ? value : noisy(name, value)]),
  )
  return openPipeline({ network: config, params, process, classNames }, { backend })
}

/** What `save` writes, by the path within a folder. */
export async function savedFiles(model: Pipeline, name: string, options: SaveOptions = {}): Promise<Files> {
  const folder = await mkdtemp(join(tmpdir(), 'dit-saved-'))
  try {
    await model.save(join(folder, name), options)
    const paths = await readdir(folder, { recursive: true })
    const files: Record<string, Uint8Array> = {}
    for (const path of paths) {
      const full = join(folder, path)
      if ((await stat(full)).isFile()) files[relative(folder, full).replaceAll('\\', '/')] = await readFile(full)
    }
    return files
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
