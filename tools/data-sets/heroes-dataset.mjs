// @ts-check
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { integers, randomStream, uniforms } from '@dit/random'
import sharp from 'sharp'

/** A mid tone: on a dark ground dark figures vanish. */
const GROUND = [71, 68, 92]
/** Side of the parts, and of the pictures. */
export const SIDE = 32

/**
 * Bodies of each species, by the beginning of the names of their files; "water" variants are left out.
 *
 * @type {Readonly<Record<string, RegExp>>}
 */
export const SPECIES = {
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
export const TAILED = new Set(['merfolk', 'naga'])

/**
 * Parts in the order in which they are laid over each other, with the chance of each. `base` is the body of the species.
 *
 * @type {readonly (readonly [folder: string, chance: number])[]}
 */
export const LAYERS = [
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

/**
 * Paper dolls, composed when they are read: a picture is a function of seed and index, and no two are alike but by chance. Species take
 * turns: picture `i` is number `floor(i / 17)` of species `i mod 17`.
 *
 * @param {object} options
 * @param {string} options.parts the folder `player` of the tiles of Dungeon Crawl Stone Soup
 * @param {number} options.length number of pictures; a large number costs nothing
 * @param {number} [options.seed] another seed gives other pictures (default 0)
 * @returns {Promise<import('@dit/data').Dataset>}
 */
export async function heroesDataset({ parts, length, seed = 0 }) {
  const species = Object.entries(SPECIES)
  const { files, drawn } = await readParts(parts)
  const bodies = species.map(([name]) => bodiesOf(name, parts, files))

  /** @param {number} index */
  const layersOf = (index) => {
    const label = index % species.length
    const [name] = species[label]
    const stream = randomStream(seed, 'hero', name, Math.floor(index / species.length))
    const chances = uniforms(stream, LAYERS.length)
    const choices = integers(stream, 2 ** 30, LAYERS.length, LAYERS.length)
    return LAYERS.flatMap(([folder, chance], i) => {
      const isBare = TAILED.has(name) && (folder === 'boots' || folder === 'legs')
      if (isBare || chances[i] >= chance) return []
      const choice = folder === 'base' ? bodies[label] : /** @type {string[]} */ (files.get(folder))
      return [/** @type {Part} */ (drawn.get(join(folder, choice[choices[i] % choice.length])))]
    })
  }

  return {
    length,
    classes: species.map(([name]) => name),
    shape: [3, SIDE, SIDE],
    labels: () => Int32Array.from({ length }, (_, index) => index % species.length),
    async read(indices, { flips } = {}) {
      const x0 = new Float32Array(indices.length * 3 * SIDE * SIDE)
      const labels = new Int32Array(indices.length)
      for (let row = 0; row < indices.length; row++) {
        const picture = x0.subarray(row * 3 * SIDE * SIDE, (row + 1) * 3 * SIDE * SIDE)
        compose(layersOf(indices[row]), picture, flips?.[row] === 1)
        labels[row] = indices[row] % species.length
      }
      return { x0, labels }
    },
  }
}

/**
 * All parts: the names of their files by layer, and each drawn, by layer and name.
 *
 * @param {string} parts
 * @returns {Promise<{ files: Map<string, string[]>, drawn: Map<string, Part> }>}
 */
export async function readParts(parts) {
  const files = new Map(
    LAYERS.map(([folder]) => [
      folder,
      readdirSync(join(parts, folder))
        .filter((name) => name.endsWith('.png'))
        .toSorted(),
    ]),
  )
  /** @type {Map<string, Part>} */
  const drawn = new Map()
  for (const [folder, names] of files) {
    for (const name of names) drawn.set(join(folder, name), await readPart(join(parts, folder, name)))
  }
  return { files, drawn }
}

/**
 * Files of the bodies of a species.
 *
 * @param {string} name
 * @param {string} parts
 * @param {Map<string, string[]>} files
 */
export function bodiesOf(name, parts, files) {
  const found = (files.get('base') ?? []).filter((file) => SPECIES[name].test(file) && !file.includes('water'))
  if (found.length === 0) throw new Error(`${parts}/base has no body of a ${name}`)
  return found
}

/**
 * The pixels of a part that are not clear: places, and red, green, blue and opacity of each. A smaller part is put into the middle.
 *
 * @typedef {{ places: Uint16Array, colours: Uint8Array }} Part
 *
 * @param {string} path
 * @returns {Promise<Part>}
 */
async function readPart(path) {
  const { width, height } = await sharp(path).metadata()
  if (width > SIDE || height > SIDE)
    throw new Error(`${path} must be at most ${SIDE} x ${SIDE} (it is ${width} x ${height})`)
  const [left, top] = [Math.floor((SIDE - width) / 2), Math.floor((SIDE - height) / 2)]
  const rgba = await sharp(path).ensureAlpha().raw().toBuffer()
  const seen = Array.from({ length: width * height }, (_, at) => at).filter((at) => rgba[4 * at + 3] > 0)
  const place = (/** @type {number} */ at) => (top + Math.floor(at / width)) * SIDE + left + (at % width)
  return {
    places: Uint16Array.from(seen, place),
    colours: Uint8Array.from(seen.flatMap((at) => [...rgba.subarray(4 * at, 4 * at + 4)])),
  }
}

/**
 * Lays parts over the ground, and rounds to bytes as a file would.
 *
 * @param {readonly Part[]} parts
 * @param {Float32Array} picture [3, 32, 32], written
 * @param {boolean} isMirrored
 */
export function compose(parts, picture, isMirrored) {
  for (let channel = 0; channel < 3; channel++) {
    const plane = picture.subarray(channel * SIDE * SIDE, (channel + 1) * SIDE * SIDE).fill(GROUND[channel])
    for (const { places, colours } of parts) {
      for (let i = 0; i < places.length; i++) {
        const under = plane[places[i]]
        plane[places[i]] = under + ((colours[4 * i + channel] - under) * colours[4 * i + 3]) / 255
      }
    }
    for (let at = 0; at < plane.length; at++) plane[at] = Math.round(plane[at]) / 127.5 - 1
    if (isMirrored) for (let row = 0; row < SIDE; row++) plane.subarray(row * SIDE, (row + 1) * SIDE).reverse()
  }
}
