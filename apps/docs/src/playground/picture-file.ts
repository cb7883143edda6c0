import { type PictureData, toPng } from '@dit/pipeline'
import { gridOf } from './grid.js'
import { withTexts } from './png-text.js'
import { type Settings, settingsToHash } from './settings.js'

/** What was drawn, and how. */
export interface Drawing {
  readonly pictures: readonly PictureData[]
  readonly settings: Settings
  /** What computed it, such as `WebAssembly, one thread`. */
  readonly engine: string
}

/**
 * All pictures as one PNG file, pixel by pixel, with their settings as text: `Description` for people, `Source` the link that repeats
 * them, and `dit` the part of it after `#`.
 *
 * @param page address of the page, without a hash
 */
export function pictureFile({ pictures, settings, engine }: Drawing, page: string): Promise<Uint8Array<ArrayBuffer>> {
  const hash = settingsToHash(settings)
  return toPng(gridOf(pictures)).then((png) =>
    withTexts(png, {
      Software: 'dit',
      Description: `${describe(settings)}, guidance ${settings.guidance}, ${settings.steps} steps of ${settings.solver}; ${engine}`,
      Source: page + hash,
      dit: hash.slice(1),
    }),
  )
}

/** The name of that file. */
export function fileName({ model, className, seed }: Settings): string {
  const words = [model, className, 'seed', String(seed)].filter((word) => word !== '')
  return `${words.join('-').replaceAll(/[^\p{L}\p{N}]+/gu, '-')}.png`
}

/** What is in the pictures, in a few words: `heroes: elf, 4 pictures, seed 3`. */
export function describe({ model, className, seed, count, start, strength }: Settings): string {
  const what = className === '' ? 'classes at random' : className
  const from = start === '' ? '' : `, from a picture with strength ${strength}`
  return `${model}: ${what}, ${count === 1 ? 'one picture' : `${count} pictures`}, seed ${seed}${from}`
}
