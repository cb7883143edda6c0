import { type GaussianProcess, gaussianProcess } from '@dit/diffusion'
import { type DiTConfig, forward, parameterShapes } from '@dit/model'
import { randomStream } from '@dit/random'
import { ddim, lastStep, startNoise } from '@dit/sampler'
import { type Backend, dispose, type Tensor, zeros } from '@dit/tensor'

/**
 * A network of the size that favicon-diffusion publishes times for: a DiT of 11 million parameters with one head, 32 steps. What
 * else they do (sizes of patches, widths) is ours.
 */
export const faviconModel: DiTConfig = {
  inputSize: 32,
  patchSize: 2,
  inChannels: 3,
  hiddenSize: 256,
  depth: 9,
  numHeads: 1,
  mlpRatio: 4,
  numClasses: 10,
  classDropout: 0.1,
  learnSigma: false,
}

export const FAVICON_STEPS = 32
export const FAVICON_LABEL = 1

/** Seconds that they publish for an M1 Pro (github.com/neelr/favicon-diffusor): their WGSL, and the same network on tfjs. */
export const PUBLISHED = { ownKernels: 0.86, tfjs: 1.57 }

/** Drawn weights on the backend; the caller disposes of them. */
export function faviconParams(backend: Backend, model: DiTConfig = faviconModel): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(parameterShapes(model)).map(([name, shape]) => {
      const weight = zeros(shape, { backend })
      backend.kernels.randomNormal!(randomStream(0, name), 0, weight)
      backend.kernels.affine(weight, 0.02, 0, weight)
      return [name, weight]
    }),
  )
}

/** What a picture is made by, in so many steps. */
export function faviconProcess(steps: number): GaussianProcess {
  return gaussianProcess({ respacing: String(steps), varianceType: 'fixedSmall' })
}

/** One picture, `[1, 3, 32, 32]`. */
export async function faviconSample(
  backend: Backend,
  params: Record<string, Tensor>,
  { steps = FAVICON_STEPS, model = faviconModel }: { readonly steps?: number; readonly model?: DiTConfig } = {},
): Promise<Float32Array> {
  const xT = startNoise([1, 3, 32, 32], { seed: 0, backend })
  const predict = (xt: Tensor, timesteps: ArrayLike<number>) =>
    forward(model, params, { xt, timesteps, labels: [FAVICON_LABEL] })
  const process = faviconProcess(steps)
  const picture = await lastStep(ddim(process.path(), process.denoiser(predict, { clipRange: 1 }), xT))
  const values = (await picture.data()) as Float32Array
  dispose([xT, picture])
  return values
}
