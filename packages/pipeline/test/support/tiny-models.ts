import type { ProcessSpec } from '@dit/diffusion'
import { type DiTConfig, initParams } from '@dit/model'
import { add, affine, type Backend, dispose, type Params, randomNormal, randomStream } from '@dit/tensor'

/** A network of pixels that is quick on the reference engine. */
export const tinyNetwork: DiTConfig = {
  inputSize: 4,
  patchSize: 2,
  inChannels: 3,
  hiddenSize: 8,
  depth: 1,
  numHeads: 2,
  mlpRatio: 4,
  numClasses: 3,
  classDropout: 0.1,
  learnSigma: false,
}

/** One of latents of 4 channels, and with variance channels. */
export const latentNetwork: DiTConfig = { ...tinyNetwork, inChannels: 4, learnSigma: true }

/** Processes that nobody would guess. */
export const PROCESSES = {
  'a cosine schedule that predicts x0': {
    schedule: 'squaredcos_cap_v2',
    numTimesteps: 100,
    meanType: 'x0',
    varianceType: 'fixedSmall',
  },
  'betas of its own': { betas: [0.01, 0.04, 0.02, 0.3, 0.5, 0.2], varianceType: 'fixedLarge' },
  'a schedule that diffusers does not know': {
    schedule: 'quad',
    numTimesteps: 20,
    betaEnd: 0.2,
    varianceType: 'fixedSmall',
  },
  'a curved flow': { kind: 'flow', interpolant: 'gvp', networkTime: 'towardsData', times: { law: 'logitNormal' } },
  'a flow as diffusers has it': { kind: 'flow', timestepScale: 1000, times: { law: 'uniform', shift: 3 } },
  'a flow that predicts noise': { kind: 'flow', interpolant: 'vp', prediction: 'epsilon', betaMax: 10 },
} as const satisfies Readonly<Record<string, ProcessSpec>>

/** Parameters on which every one of them tells: a fresh network is the zero function. The positions stay those that diffusers computes. */
export function movedParams(network: DiTConfig, backend: Backend): Params {
  const fresh = initParams(network, { seed: 1, backend })
  const moved = Object.entries(fresh).map(([name, value]) => {
    if (name === 'pos_embed') return [name, affine(value, 1)] as const
    const noise = randomNormal(value.shape, randomStream(2, name), { backend })
    const step = affine(noise, 0.1)
    const sum = add(value, step)
    dispose([noise, step])
    return [name, sum] as const
  })
  dispose(fresh)
  return Object.fromEntries(moved)
}
