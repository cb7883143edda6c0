import { type OpenModel, type PictureData, sampleShape, type SampleOptions, type SamplerName } from '@dit/pipeline'
import type { Spacing } from '@dit/schedules'
import { spatialFactor } from '@dit/vae'
import { UsageError } from '../terminal/errors.js'
import { readNoise } from './read-noise.js'
import { SAMPLE_DEFAULTS, type SampleFlags } from './sample-options.js'

/**
 * The options of sampling that flags say, with the files that they name read.
 *
 * @throws UsageError for a file that cannot be read
 */
export async function optionsOf(flags: SampleFlags, model: OpenModel): Promise<SampleOptions> {
  const { image, mask, strength, noise, draws, guidanceChannels, sampler, spacing, classes } = flags
  const { steps, shift, eta, rtol, atol, guidance, guidanceInterval, guidanceRescale, nullClass, clip, seed } = flags
  const { diffusionForm, diffusionNorm, lastStep, lastStepSize, batch: batchSize } = flags
  const options: { [Name in keyof SampleOptions]: SampleOptions[Name] | undefined } = {
    classes,
    count: flags.count ?? SAMPLE_DEFAULTS.count,
    steps,
    sampler: sampler as SamplerName | undefined,
    spacing: spacing as Spacing | undefined,
    shift,
    eta,
    rtol,
    atol,
    guidance,
    // `all` is parsed to null, absent is undefined.
    guidanceChannels: guidanceChannels === null ? 'all' : guidanceChannels,
    guidanceInterval,
    guidanceRescale,
    nullClass,
    clip,
    seed,
    diffusionForm,
    diffusionNorm,
    lastStep,
    lastStepSize,
    batchSize,
    strength,
    noise: noise === undefined ? undefined : await readNoise('--noise', noise),
    draws: draws === undefined ? undefined : await readNoise('--draws', draws),
    image: image === undefined ? undefined : await readPicture('--image', image, model),
    mask: mask === undefined ? undefined : await readPicture('--mask', mask, model),
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** A picture file as RGBA in the size of the model's pictures: what is outside of their shape is cut off evenly. */
async function readPicture(flag: string, path: string, { description, autoencoder }: OpenModel): Promise<PictureData> {
  const factor = autoencoder === null ? 1 : spatialFactor(autoencoder.config)
  const [, h, w] = sampleShape(description.network)
  const [height, width] = [h * factor, w * factor]
  const { default: sharp } = await import('sharp')
  try {
    const fitted = sharp(path).rotate().resize(width, height, { fit: 'cover' }).toColourspace('srgb').ensureAlpha()
    const { data } = await fitted.raw().toBuffer({ resolveWithObject: true })
    return { width, height, data: new Uint8Array(data) }
  } catch (cause) {
    throw new UsageError(`${flag} ${path}: it cannot be read as a picture (${(cause as Error).message})`, { cause })
  }
}
