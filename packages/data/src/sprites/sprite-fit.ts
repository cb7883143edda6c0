import { randomStream, uniforms } from '@dit/random'
import { GRID } from './canvas.js'
import { NUM_REGIONS, REGION_OF_CODE, REGIONS } from './regions.js'
import { SPRITE_CLASSES, type SpriteClass } from './sprite-classes.js'
import { choicesRead, NUM_CHOICES, spriteCode } from './sprite-drawing.js'

const PIXELS = GRID * GRID
/** Drawings of each class that a picture is compared with at first. */
const NUM_STARTS = 128
/** Values that the refinement tries for each choice: a grid, then steps from the best. */
const GRID_VALUES = [0.1, 0.3, 0.5, 0.7, 0.9]
const STEPS = [-0.1, 0.1, -0.04, 0.04]

/** A picture, `[3, 32, 32]`, with the sums that every fit needs. */
export interface Picture {
  readonly data: Float32Array
  readonly sums: readonly number[]
  /** squared differences from the mean of each channel, summed over everything */
  readonly variation: number
}

/** How well a drawing explains a picture. */
export interface SpriteFit {
  readonly sprite: SpriteClass
  readonly choices: Float32Array
  readonly isMirrored: boolean
  /** share of the picture's variance that the drawing explains with one colour a region, 0 to 1 */
  readonly explained: number
}

/** Sums of a picture. */
export function measurePicture(data: Float32Array): Picture {
  const sums = [0, 0, 0]
  let squares = 0
  for (let i = 0; i < 3 * PIXELS; i++) {
    sums[Math.floor(i / PIXELS)] += data[i]
    squares += data[i] * data[i]
  }
  return { data, sums, variation: squares - sums.reduce((total, sum) => total + (sum * sum) / PIXELS, 0) }
}

/**
 * The stored drawings that explain a picture best, `perClass` of each class, best first. A drawing cuts the picture into
 * regions, each of one colour; the best colours are the means, and the explained share is
 *
 *   sum over regions of n |mean of region - mean of picture|^2, over the sum of |pixel - mean of picture|^2
 */
export function nearestDrawings(picture: Picture, perClass: number): SpriteFit[][] {
  return starts()
    .map((drawings, label) => {
      const sprite = SPRITE_CLASSES[label]
      const fits = drawings.map(({ choices, regions }): SpriteFit => {
        const explained = explainedShare(picture, regions, false)
        const across = sprite === 'fish' ? explainedShare(picture, regions, true) : -1
        return { sprite, choices, isMirrored: across > explained, explained: Math.max(explained, across) }
      })
      return fits.toSorted((a, b) => b.explained - a.explained).slice(0, perClass)
    })
    .toSorted(([a], [b]) => b.explained - a.explained)
}

/** A picture with less (a deviation of 0.002 a value) is flat. */
const MIN_VARIATION = 0.01
/** Less than this of any picture with a sprite is explained by no stored drawing; then there is nothing to look for. */
const MIN_NEAR = 0.15
/** A fit that needs no further search, if no other class comes near. */
const GOOD = 0.85
/** A fit that needs no further search after the second round. */
const FAIR = 0.65
const NUM_CANDIDATES = 3
/** Stored drawings of a class from which the search begins, round by round. */
const ROUNDS = [1, 3, 7] as const

/** A class in the search: the stored drawings that come nearest, and the best fit so far. */
interface Candidate {
  readonly starts: readonly SpriteFit[]
  readonly best: SpriteFit
}

/**
 * The best fit of the likeliest classes, best first. The search begins with the nearest stored drawings and changes their
 * choices one after another; unless the answer is clear by then, it does so again from further drawings of the two best
 * classes, with the same effort for both.
 *
 * @returns three fits; none for a flat picture and for one that nothing comes near
 */
export function fitSprites(picture: Picture): SpriteFit[] {
  if (!(picture.variation > MIN_VARIATION)) return []
  const near = nearestDrawings(picture, ROUNDS[2]).slice(0, NUM_CANDIDATES)
  if (near[0][0].explained < MIN_NEAR) return []
  let ranked = ranking(near.map((starts) => ({ starts, best: refine(picture, starts[0]) })))
  const [first, second] = ranked
  const isClear = first.best.explained > GOOD && 1 - second.best.explained > 2 * (1 - first.best.explained)
  for (let round = 1; round < ROUNDS.length && !isClear; round++) {
    if (round > 1 && ranked[0].best.explained > FAIR) break
    ranked = ranking(
      ranked.map(({ starts, best }, place) => {
        if (place > 1) return { starts, best }
        const more = starts.slice(ROUNDS[round - 1], ROUNDS[round]).map((start) => refine(picture, start))
        return { starts, best: refine(picture, bestOf([best, ...more])) }
      }),
    )
  }
  return ranked.map(({ best }) => best)
}

function ranking(candidates: readonly Candidate[]): Candidate[] {
  return candidates.toSorted((a, b) => b.best.explained - a.best.explained)
}

function bestOf(fits: readonly SpriteFit[]): SpriteFit {
  return fits.reduce((best, fit) => (fit.explained > best.explained ? fit : best))
}

/** Changes one choice of a drawing after another, and its direction, while the picture is explained better. */
export function refine(picture: Picture, start: SpriteFit): SpriteFit {
  let best = start
  const attempt = (choices: Float32Array, isMirrored: boolean) => {
    const explained = explainedShare(picture, regionsOf(best.sprite, choices), isMirrored)
    if (explained > best.explained) best = { ...best, choices, isMirrored, explained }
  }
  const change = (choice: number, value: number) => attempt(best.choices.with(choice, value), best.isMirrored)
  const numChoices = choicesRead(start.sprite)
  for (let choice = 0; choice < numChoices; choice++) for (const value of GRID_VALUES) change(choice, value)
  for (let choice = 0; choice < numChoices; choice++) {
    const from = best.choices[choice]
    for (const step of STEPS) if (from + step >= 0 && from + step < 0.99) change(choice, from + step)
  }
  attempt(best.choices, !best.isMirrored)
  return best
}

/** Mean brightness (of the three channels) of the fitted outlines, the ground, and all else. */
export function brightnessOf(picture: Picture, fit: SpriteFit): { line: number; ground: number; fill: number } {
  const regions = regionsOf(fit.sprite, fit.choices)
  const [sums, counts] = [
    [0, 0, 0],
    [0, 0, 0],
  ]
  for (let at = 0; at < PIXELS; at++) {
    const region = regions[fit.isMirrored ? at ^ (GRID - 1) : at]
    const kind = region === REGIONS.line ? 0 : region <= REGIONS.groundShadow ? 1 : 2
    counts[kind] += 3
    for (let channel = 0; channel < 3; channel++) sums[kind] += picture.data[channel * PIXELS + at]
  }
  const [line, ground, fill] = sums.map((sum, kind) => sum / Math.max(1, counts[kind]))
  return { line, ground, fill }
}

const totals = new Float64Array(3 * NUM_REGIONS)
const counts = new Float64Array(NUM_REGIONS)

function explainedShare({ data, sums, variation }: Picture, regions: Uint8Array, isMirrored: boolean): number {
  totals.fill(0)
  counts.fill(0)
  const flip = isMirrored ? GRID - 1 : 0
  for (let at = 0; at < PIXELS; at++) {
    const region = regions[at ^ flip]
    counts[region]++
    totals[3 * region] += data[at]
    totals[3 * region + 1] += data[PIXELS + at]
    totals[3 * region + 2] += data[2 * PIXELS + at]
  }
  let between = 0
  for (let region = 0; region < NUM_REGIONS; region++) {
    if (counts[region] === 0) continue
    const [r, g, b] = [totals[3 * region], totals[3 * region + 1], totals[3 * region + 2]]
    between += (r * r + g * g + b * b) / counts[region]
  }
  const [r, g, b] = sums
  return (between - (r * r + g * g + b * b) / PIXELS) / variation
}

/** Region of each pixel of a drawing. */
function regionsOf(sprite: SpriteClass, choices: Float32Array): Uint8Array {
  const code = spriteCode(sprite, choices)
  for (let at = 0; at < PIXELS; at++) code[at] = REGION_OF_CODE[code[at]]
  return code
}

interface Start {
  readonly choices: Float32Array
  readonly regions: Uint8Array
}

let known: readonly (readonly Start[])[] | undefined

/** The stored drawings of every class, drawn once. Their stream is none of a dataset's. */
function starts(): readonly (readonly Start[])[] {
  known ??= SPRITE_CLASSES.map((sprite) =>
    Array.from({ length: NUM_STARTS }, (_, index) => {
      const choices = uniforms(randomStream(0, 'sprite starts', sprite, index), NUM_CHOICES)
      return { choices, regions: regionsOf(sprite, choices) }
    }),
  )
  return known
}
