/** Every measure by its name. */
export const MEASURES = [
  'frechet',
  'spatialFrechet',
  'frechetInfinity',
  'kid',
  'cmmd',
  'precision',
  'recall',
  'density',
  'coverage',
  'authenticity',
  'vendi',
  'inceptionScore',
] as const

/** A name of `MEASURES`. */
export type MeasureName = (typeof MEASURES)[number]

/** Measures that are taken where nobody names any: where they can be had. The others say little more, or take long. */
export const USUAL_MEASURES: readonly MeasureName[] = MEASURES.filter(
  (name) => name !== 'frechetInfinity' && name !== 'cmmd',
)

/** Whether a smaller or a larger value is that of a better model. */
export const BETTER: Readonly<Record<MeasureName, 'less' | 'more'>> = {
  frechet: 'less',
  spatialFrechet: 'less',
  frechetInfinity: 'less',
  kid: 'less',
  cmmd: 'less',
  precision: 'more',
  recall: 'more',
  density: 'more',
  coverage: 'more',
  authenticity: 'more',
  vendi: 'more',
  inceptionScore: 'more',
}

/** The least that a measure can be, where there is one: an interval does not go below. Those of shares have ends of their own. */
export const LEAST: Readonly<Partial<Record<MeasureName, number>>> = {
  frechet: 0,
  spatialFrechet: 0,
  density: 0,
  vendi: 1,
  inceptionScore: 1,
}

/** What a title depends on. */
export interface TitleContext {
  /** Features are those of the FID Inception with the weights that everybody has, at the layer that FID is taken on. */
  readonly isFid: boolean
  /** Embeddings of CLIP. */
  readonly isClip: boolean
}

/** As a person reads it. A distance on other features is never called FID, and a Gaussian MMD on others never CMMD. */
export function titleOf(measure: MeasureName, { isFid, isClip }: TitleContext): string {
  switch (measure) {
    case 'frechet':
      return isFid ? 'FID' : 'Fréchet distance'
    case 'spatialFrechet':
      return isFid ? 'sFID' : 'Fréchet distance, spatial'
    case 'frechetInfinity':
      return isFid ? 'FID-infinity' : 'Fréchet distance, N to infinity'
    case 'kid':
      return isFid ? 'KID' : 'kernel distance (cubic MMD)'
    case 'cmmd':
      return isClip ? 'CMMD' : 'kernel distance (Gaussian MMD)'
    case 'inceptionScore':
      return isFid ? 'Inception Score' : 'class score (as Inception Score)'
    case 'vendi':
      return 'Vendi score'
    default:
      return measure
  }
}
