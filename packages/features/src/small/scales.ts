/** What is subtracted from a number, and what it is then divided by. */
export interface ColumnScale {
  readonly centre: number
  readonly spread: number
}

// Rounded means, and deviations within a set, averaged over Fashion-MNIST, silhouettes, composed heroes (28 and 32 pixels) and emoji
// (32 and 64): 1,900 pictures each, by `npm run experiment -- scales`. Columns of a kind share one.

/** Of the layout. The deviations are those of light, R - G and (R + G) / 2 - B. */
export const LAYOUT_SCALES = {
  light: { centre: 0.5, spread: 0.17 },
  redGreen: { centre: 0, spread: 0.1 },
  yellowBlue: { centre: 0, spread: 0.12 },
  deviations: [
    { centre: 0.3, spread: 0.06 },
    { centre: 0.1, spread: 0.07 },
    { centre: 0.1, spread: 0.07 },
  ],
} as const

/** Of edges of light, by level and statistic. */
export const LIGHT_EDGE_SCALES: readonly (readonly ColumnScale[])[] = [
  scales([0.42, 0.35, 0.23, 0.11, 0.08], [0.1, 0.09, 0.065, 0.035, 0.025]),
  scales([0.6, 0.5, 0.32, 0.14, 0.1], [0.12, 0.1, 0.08, 0.05, 0.033]),
  scales([0.82, 0.7, 0.45, 0.2, 0.14], [0.1, 0.11, 0.11, 0.075, 0.05]),
]

/** Of edges of colours, by level and statistic. */
export const COLOUR_EDGE_SCALES: readonly (readonly ColumnScale[])[] = [
  scales([0.17, 0.13, 0.08, 0.03, 0.025], [0.085, 0.07, 0.05, 0.025, 0.018]),
  scales([0.27, 0.2, 0.12, 0.05, 0.035], [0.11, 0.1, 0.075, 0.04, 0.028]),
]

function scales(centres: readonly number[], spreads: readonly number[]): ColumnScale[] {
  return centres.map((centre, i) => ({ centre, spread: spreads[i] }))
}
