import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { integers, type RandomStream, randomStream, uniforms } from '@dit/random'
import sharp from 'sharp'

/** A mid tone: on a dark ground dark figures vanish. */
const GROUND = { r: 71, g: 68, b: 92 }

/** Bodies of each species, by the beginning of the names of their files; "water" variants are left out. */
const SPECIES: Readonly<Record<string, RegExp>> = {
  human: /^human/,
  elf: /^elf/,
  dwarf: /^dwarf/,
  orc: /^orc/,
  kobold: /^kobold/,
  draconian: /^draconian/,
  mummy: /^mummy/,
  vampire: /^vampire/,
  minotaur: /^minotaur/,
  tengu: /^tengu/,
  demonspawn: /^demonspawn/,
  gargoyle: /^gargoyle/,
  ogre: /^ogre/,
  troll: /^troll/,
  ghoul: /^ghoul/,
  merfolk: /^merfolk/,
  naga: /^naga/,
}

/** Species whose lower half is a tail. */
const TAILED = new Set(['merfolk', 'naga'])

/** Parts in the order in which they are laid over each other, with the chance of each. `base` is the body of the species. */
const LAYERS: readonly (readonly [folder: string, chance: number])[] = [
  ['cloak', 0.35],
  ['base', 1],
  ['boots', 0.5],
  ['legs', 0.5],
  ['body', 0.8],
  ['gloves', 0.35],
  ['hand1', 0.75],
  ['hand2', 0.5],
  ['hair', 0.6],
  ['beard', 0.15],
  ['head', 0.4],
]

export interface HeroesOptions {
  readonly perClass: number
  readonly seed: number
}

/** Composes dolls of all species; returns a line that says what was written. A doll is a function of seed, species and number. */
export async function writeHeroes(parts: string, out: string, { perClass, seed }: HeroesOptions): Promise<string> {
  const names = new Map<string, string[]>()
  for (const [folder] of LAYERS) {
    const files = (await readdir(join(parts, folder))).filter((name) => name.endsWith('.png'))
    names.set(folder, files.toSorted())
  }
  for (const [species, pattern] of Object.entries(SPECIES)) {
    await mkdir(join(out, species), { recursive: true })
    const bodies = names.get('base')!.filter((name) => pattern.test(name) && !name.includes('water'))
    if (bodies.length === 0) throw new Error(`heroes: ${parts}/base has no body of a ${species}`)
    for (let i = 0; i < perClass; i++) {
      const stream = randomStream(seed, 'hero', species, i)
      const layers = layersOf(species, bodies, names, stream).map((path) => ({ input: join(parts, path) }))
      const picture = sharp({ create: { width: 32, height: 32, channels: 3, background: GROUND } }).composite(layers)
      await picture.png().toFile(join(out, species, `${String(i).padStart(5, '0')}.png`))
    }
  }
  return `${Object.keys(SPECIES).length} species, ${perClass} dolls each, in ${out}`
}

function layersOf(
  species: string,
  bodies: readonly string[],
  names: ReadonlyMap<string, readonly string[]>,
  stream: RandomStream,
): string[] {
  const chances = uniforms(stream, LAYERS.length)
  const choices = integers(stream, 2 ** 30, LAYERS.length, LAYERS.length)
  return LAYERS.flatMap(([folder, chance], i) => {
    const isBare = TAILED.has(species) && (folder === 'boots' || folder === 'legs')
    if (isBare || chances[i] >= chance) return []
    const files = folder === 'base' ? bodies : names.get(folder)!
    return [join(folder, files[choices[i] % files.length])]
  })
}
