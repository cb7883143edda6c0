import { testVariants } from './variants.js'

const precisions = [
  { precision: 'f32', subgroups: 'on' },
  { precision: 'f32', subgroups: 'off' },
  { precision: 'f16', halves: 'f16' },
  { precision: 'f16', halves: 'packed' },
  { precision: 'f16', matrixUnits: { M: 16, N: 16, K: 16 } },
  { precision: 'f16', matrixUnits: { M: 16, N: 8, K: 16 } },
  { precision: 'f32', matrixUnits: { M: 8, N: 8, K: 8 } },
] as const

testVariants(precisions.flatMap((precision) => (['large', 'small'] as const).map((tiles) => ({ ...precision, tiles }))))
