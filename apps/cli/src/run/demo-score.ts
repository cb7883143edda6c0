import { scoreSprites, SPRITE_CLASSES, type SpritesScore, spritesDataset } from '@dit/data'
import { normals, randomStream } from '@dit/random'
import { formatShare, formatTable } from '../terminal/format.js'

/** Samples judged by the rule-based recogniser, beside pictures whose result is known. */
export interface DemoScore {
  readonly samples: SpritesScore
  /** Pictures of the dataset that the training did not see. */
  readonly real: SpritesScore
  readonly noise: SpritesScore
  /** Spread of the samples over that of the real pictures; 1 is as varied. */
  readonly spreadRatio: number
}

/** Pictures that the samples are compared with, as many of each class; to recognise one takes a twentieth of a second. */
const [NUM_REAL, NUM_NOISE] = [8 * SPRITE_CLASSES.length, 8 * SPRITE_CLASSES.length]
/** Unlike the training's 0. */
const UNSEEN_SEED = 1

/**
 * Scores samples of the generated sprites.
 *
 * @param images `[N, 3, 32, 32]` in [-1, 1]
 * @param labels classes asked for, `[N]`
 */
export async function scoreDemo(images: Float32Array, labels: ArrayLike<number>): Promise<DemoScore> {
  const unseen = spritesDataset({ length: NUM_REAL, seed: UNSEEN_SEED })
  const pictures = await unseen.read(Array.from({ length: NUM_REAL }, (_, i) => i))
  const noise = normals(randomStream(0, 'demo', 'noise'), (NUM_NOISE * pictures.x0.length) / NUM_REAL)
  const samples = scoreSprites(images, labels)
  const real = scoreSprites(pictures.x0, pictures.labels)
  return {
    samples,
    real,
    noise: scoreSprites(noise, pictures.labels.subarray(0, NUM_NOISE)),
    spreadRatio: real.spread > 0 ? samples.spread / real.spread : 0,
  }
}

/** The score for the user to read. */
export function scoreLines({ samples, real, noise, spreadRatio }: DemoScore): string[] {
  const columns = [samples, real, noise]
  const classes = SPRITE_CLASSES.map((name) => [
    `  ${name}`,
    ...columns.map(({ perClass }) => shareText(perClass.find((row) => row.sprite === name)?.nearest)),
  ])
  const spreads = [samples, real].map(({ spread }) => spread.toFixed(3))
  return formatTable(
    [
      ['', 'samples', 'real', 'noise'],
      ['pictures', ...columns.map(({ count }) => String(count))],
      ['most like the class asked for', ...columns.map((score) => shareText(score.nearest))],
      ...classes,
      ['and drawn cleanly', ...columns.map((score) => shareText(score.right))],
      ['spread within a class', ...spreads, ''],
      ['  over that of real pictures', spreadRatio.toFixed(2), '', ''],
    ],
    [false, true, true, true],
  )
}

function shareText(share: number | undefined): string {
  return share === undefined ? '-' : formatShare(share)
}
