import { join } from 'node:path'
import { integers, randomStream, uniforms } from '@dit/random'
import { bodiesOf, compose, LAYERS, readParts, SIDE, SPECIES, TAILED } from './heroes-dataset.mjs'

/** What a doll wears, by the beginning of the name of the file; of nothing the caption says nothing. */
const GARMENTS: Readonly<Record<string, RegExp>> = {
  'black robe': /^robe_black/,
  'blue robe': /^robe_blue/,
  'brown robe': /^robe_brown/,
  'green robe': /^robe_green/,
  'purple robe': /^robe_purple/,
  'red robe': /^robe_red/,
  'white robe': /^robe_white/,
  'yellow robe': /^robe_yellow/,
  leather: /^leather/,
  plate: /^(plate|bplate)/,
  mail: /^(chainmail|ringmail|scalemail)/,
  '': /^$/,
}

/** What it holds. */
const WEAPONS: Readonly<Record<string, RegExp>> = {
  staff: /^(staff|quarterstaff)/,
  sword: /^(sword|broad|long_sword|short_sword|great_sword|katana|falchion|scimitar)/,
  axe: /^(axe|battleaxe|war_axe|broad_axe|hand_axe)/,
  spear: /^(spear|trident|pike|lance)/,
  flail: /^(flail|morningstar|eveningstar)/,
  bow: /^(bow|great_bow|arbalest|longbow)/,
  '': /^$/,
}

export const ATTRIBUTES = {
  species: Object.keys(SPECIES),
  garment: Object.keys(GARMENTS),
  weapon: Object.keys(WEAPONS),
}

/** A doll: which of each attribute it has, and its caption in words. */
export interface Doll {
  readonly species: number
  readonly garment: number
  readonly weapon: number
  readonly words: readonly string[]
}

/** All words that captions have. */
export const WORDS: readonly string[] = [...new Set(Object.values(ATTRIBUTES).flat().flatMap(wordsIn))]

/** The most words of a caption: `elf blue robe staff`. */
export const MOST_WORDS = 4

/** One in so many combinations is never trained on. */
const UNSEEN = 5

/**
 * Captioned paper dolls. A doll is a function of the seed and its number; species take turns.
 *
 * @param isUnseen whether combinations of species, garment and weapon are those that are kept from training, or all others
 */
export async function captionedHeroes(
  parts: string,
  { seed, isUnseen }: { readonly seed: number; readonly isUnseen: boolean },
) {
  const { files, drawn } = await readParts(parts)
  const { species, garment, weapon } = ATTRIBUTES
  const bodies = species.map((name) => bodiesOf(name, parts, files))
  const matching = (folder: string, patterns: Readonly<Record<string, RegExp>>) =>
    Object.values(patterns).map((pattern) => files.get(folder)!.filter((file) => pattern.test(file)))
  const [garments, weapons] = [matching('body', GARMENTS), matching('hand1', WEAPONS)]

  /** The doll of a number. */
  function dollOf(index: number): Doll {
    const own = index % species.length
    const stream = randomStream(seed, 'captioned', species[own], Math.floor(index / species.length))
    for (let attempt = 0; ; attempt++) {
      const [g, w] = integers(stream, 2 ** 30, 2, 100 + 2 * attempt)
      const doll = { species: own, garment: g % garment.length, weapon: w % weapon.length }
      if (isKept(doll) === isUnseen) return { ...doll, words: captionOf(doll) }
    }
  }

  /** Its picture, `[3, 32, 32]` in [-1, 1]. */
  function draw(index: number): Float32Array {
    const doll = dollOf(index)
    const name = species[doll.species]
    const stream = randomStream(seed, 'captioned-parts', name, Math.floor(index / species.length))
    const chances = uniforms(stream, LAYERS.length)
    const choices = integers(stream, 2 ** 30, LAYERS.length, LAYERS.length)
    const layers = LAYERS.flatMap(([folder, chance], i) => {
      const isBare = TAILED.has(name) && (folder === 'boots' || folder === 'legs')
      const told: Readonly<Record<string, readonly string[]>> = {
        base: bodies[doll.species],
        body: garments[doll.garment],
        hand1: weapons[doll.weapon],
      }
      const choice = told[folder] ?? files.get(folder)!
      if (isBare || choice.length === 0 || (!Object.hasOwn(told, folder) && chances[i] >= chance)) return []
      return [drawn.get(join(folder, choice[choices[i] % choice.length]))!]
    })
    const picture = new Float32Array(3 * SIDE * SIDE)
    compose(layers, picture, false)
    return picture
  }

  return { dollOf, draw }
}

function wordsIn(text: string): string[] {
  return text.split(' ').filter((word) => word !== '')
}

function captionOf({ species, garment, weapon }: Omit<Doll, 'words'>): string[] {
  const { species: names, garment: garments, weapon: weapons } = ATTRIBUTES
  return [names[species], garments[garment], weapons[weapon]].flatMap(wordsIn)
}

/** Whether a combination is kept from training. */
function isKept({ species, garment, weapon }: Omit<Doll, 'words'>): boolean {
  return integers(randomStream(0, 'unseen', species, garment, weapon), UNSEEN, 1)[0] === 0
}
