import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { heroesDataset, SPECIES } from './heroes-dataset.mjs'

export interface HeroesOptions {
  readonly perClass: number
  readonly seed: number
}

/** Composes dolls of all species; returns a line that says what was written. A doll is a function of seed, species and number. */
export async function writeHeroes(parts: string, out: string, { perClass, seed }: HeroesOptions): Promise<string> {
  const set = await heroesDataset({ parts, length: Object.keys(SPECIES).length * perClass, seed })
  const {
    classes,
    shape: [, height, width],
  } = set
  for (const name of classes) await mkdir(join(out, name), { recursive: true })
  for (let i = 0; i < perClass; i++) {
    const { x0, labels } = await set.read(classes.map((_, label) => i * classes.length + label))
    for (const [row, label] of labels.entries()) {
      const planes = x0.subarray(row * 3 * height * width, (row + 1) * 3 * height * width)
      const bytes = Uint8Array.from({ length: planes.length }, (_, at) => {
        const [pixel, channel] = [Math.floor(at / 3), at % 3]
        return Math.round((planes[channel * height * width + pixel] + 1) * 127.5)
      })
      const file = join(out, classes[label], `${String(i).padStart(5, '0')}.png`)
      await sharp(bytes, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(file)
    }
  }
  return `${classes.length} species, ${perClass} dolls each, in ${out}`
}
