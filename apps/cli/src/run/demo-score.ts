import { SHAPE_CLASSES, scoreShapes, type ShapesScore, type ShapesSpread, shapesDataset } from '@dit/data'
import { normals, randomStream } from '@dit/random'
import { formatShare, formatTable } from '../terminal/format.js'

/** Samples judged by the rule-based recogniser, beside pictures whose result is known. */
export interface DemoScore {
  readonly samples: ShapesScore
  /** Pictures of the dataset that the training did not see. */
  readonly real: ShapesScore
  readonly noise: ShapesScore
  /** Spread of the samples over that of the real pictures; 1 is as varied. */
  readonly spreadRatio: ShapesSpread
}

type ImageShape = readonly [channels: number, height: number, width: number]

/** Pictures that the samples are compared with. */
const [NUM_REAL, NUM_NOISE] = [300, 120]
/** Unlike the training's 0. */
const UNSEEN_SEED = 1

/**
 * Scores samples of the generated shapes.
 *
 * @param images `[N, C, H, W]` in [-1, 1]
 * @param labels classes asked for, `[N]`
 */
export async function scoreDemo(
  images: Float32Array,
  labels: ArrayLike<number>,
  shape: ImageShape,
): Promise<DemoScore> {
  const unseen = shapesDataset({ size: shape[1], length: NUM_REAL, seed: UNSEEN_SEED })
  const pictures = await unseen.read(Array.from({ length: NUM_REAL }, (_, i) => i))
  const noise = normals(randomStream(0, 'demo', 'noise'), (NUM_NOISE * pictures.x0.length) / NUM_REAL)
  const samples = scoreShapes(images, labels, shape)
  const real = scoreShapes(pictures.x0, pictures.labels, shape)
  return {
    samples,
    real,
    noise: scoreShapes(noise, pictures.labels.subarray(0, NUM_NOISE), shape),
    spreadRatio: spreadRatio(samples.spread, real.spread),
  }
}

export function spreadRatio(samples: ShapesSpread, real: ShapesSpread): ShapesSpread {
  const ratio = (what: keyof ShapesSpread) => (real[what] > 0 ? samples[what] / real[what] : 0)
  return { position: ratio('position'), size: ratio('size'), color: ratio('color') }
}

/** The score for the user to read. */
export function scoreLines({ samples, real, noise, spreadRatio: ratio }: DemoScore): string[] {
  const columns = [samples, real, noise]
  const classes = SHAPE_CLASSES.map((name) => [
    `  ${name}`,
    ...columns.map(({ perClass }) => shareText(perClass.find((row) => row.shape === name)?.right)),
  ])
  const spreads = (['position', 'size', 'color'] as const).map((what) => [
    `  ${what}`,
    ...[samples, real].map(({ spread }) => spread[what].toFixed(3)),
    ratio[what].toFixed(2),
  ])
  const right = [false, true, true, true]
  return [
    ...formatTable(
      [
        ['', 'samples', 'real', 'noise'],
        ['pictures', ...columns.map(({ count }) => String(count))],
        ['shows the class asked for', ...columns.map((score) => shareText(score.right))],
        ...classes,
        ['shows no shape', ...columns.map((score) => shareText(score.none))],
      ],
      right,
    ),
    '',
    ...formatTable([['spread within a class', 'samples', 'real', 'samples over real'], ...spreads], right),
  ]
}

function shareText(share: number | undefined): string {
  return share === undefined ? '-' : formatShare(share)
}
