import { testVariants } from './variants.js'

// The other variants: variants.whole.test.ts.
testVariants([
  { precision: 'f32', subgroups: 'off', tiles: 'small' },
  { precision: 'f16', matrixUnits: { M: 16, N: 16, K: 16 }, tiles: 'large' },
])
