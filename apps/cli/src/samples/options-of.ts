import type { OpenModel, PictureData, SampleOptions } from '@dit/pipeline'
import { spatialFactor } from '@dit/vae'
import { flagOf } from '../settings/flag-of.js'
import { storedOptions } from '../settings/option-setting.js'
import { SOURCE_SETTINGS } from '../settings/source-settings.js'
import { unreadablePicture } from '../terminal/unreadable-picture.js'
import { readNoise } from './read-noise.js'
import { SAMPLE_ROWS, SAMPLE_SETTINGS, type SampleFlags } from './sample-settings.js'

/** Settings that open the model, and those whose option is in a file. */
const isElsewhere = (key: string) => Object.hasOwn(SOURCE_SETTINGS, key) || SAMPLE_ROWS[key].holds !== undefined

const PLAIN = Object.fromEntries(Object.entries(SAMPLE_ROWS).filter(([key]) => !isElsewhere(key)))

/**
 * The sampling options that flags give. Files that they name are read, but for the weights of `--guide`.
 *
 * @throws UsageError for a file that cannot be read
 */
export async function optionsOf(flags: SampleFlags, model: OpenModel): Promise<SampleOptions> {
  const given = storedOptions(PLAIN, flags)
  const options = given.total === undefined ? { count: SAMPLE_SETTINGS.count.default, ...given } : given
  for (const [key, { holds, option }] of Object.entries(SAMPLE_ROWS)) {
    const path = flags[key as keyof SampleFlags]
    if (typeof path !== 'string' || option === undefined) continue
    if (holds === 'noise') Object.assign(options, { [option]: await readNoise(flagOf(key), path) })
    if (holds === 'picture') Object.assign(options, { [option]: await readPicture(flagOf(key), path, model) })
  }
  return options
}

/** The file that an option came from. */
export function fileOf(flags: SampleFlags, option: string): string | undefined {
  const key = Object.keys(SAMPLE_ROWS).find(
    (name) => SAMPLE_ROWS[name].holds !== undefined && SAMPLE_ROWS[name].option === option,
  )
  return key === undefined ? undefined : (flags[key as keyof SampleFlags] as string | undefined)
}

/** A picture file as RGBA, scaled to cover the model's pictures and cropped at the centre. */
async function readPicture(flag: string, path: string, { network, autoencoder }: OpenModel): Promise<PictureData> {
  const factor = autoencoder === null ? 1 : spatialFactor(autoencoder.config)
  const [, h, w] = network.inputShape
  const [height, width] = [h * factor, w * factor]
  const { default: sharp } = await import('sharp')
  try {
    const fitted = sharp(path).rotate().resize(width, height, { fit: 'cover' }).toColourspace('srgb').ensureAlpha()
    const { data } = await fitted.raw().toBuffer({ resolveWithObject: true })
    return { width, height, data: new Uint8Array(data) }
  } catch (cause) {
    throw unreadablePicture(`${flag} ${path}`, cause)
  }
}
