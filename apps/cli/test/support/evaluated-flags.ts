import { TINY } from './tiny-flags.js'

/** A tiny run whose samples are measured at steps 2, 4 and 6. */
export const EVALUATED: readonly string[] = [
  'train',
  ...TINY,
  '--steps=6',
  '--warmup=1',
  '--val-share=0.001',
  '--eval-every=2',
  '--eval-count=12',
  '--eval-steps=2',
  '--keep-last=1',
]
