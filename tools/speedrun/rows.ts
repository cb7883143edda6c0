/** One way of training, under a name that stays: a line of the table. */
export interface Row {
  readonly name: string
  /** What it tries, for the table. */
  readonly about: string
  /** Flags of `dit train`, besides data, size, seed, steps and folder. */
  readonly flags: string
  /** Flags of `dit sample` in place of the judge's guidance. */
  readonly sampling?: string
  /** Another row whose training this one samples in another way. */
  readonly trainedAs?: string
}

const X0 = '--process gaussian --schedule squaredcos_cap_v2 --variance fixedSmall --predict x0'
const COURSE = '--warmup 100 --decay cosine --final-lr 0.02 --beta2 0.99 --ema-warmup'
const PATCH_4 = '--patch 4 --hidden 128 --depth 4 --heads 4'
const PATCH_2 = '--patch 2 --hidden 64 --depth 4 --heads 2'

/**
 * Predicting noise, as the paper does, tuned: half of all sixteen settings of rate, average, batch and schedule, so chosen that each
 * two of them meet in all their values (the fourth is the product of the others).
 */
const NOISE: readonly Row[] = [0, 1, 2, 3, 4, 5, 6, 7].map((setting) => {
  const [a, b, c] = [setting & 1, (setting >> 1) & 1, (setting >> 2) & 1]
  const lr = a === 0 ? '0.001' : '0.003'
  const ema = b === 0 ? '0.995' : '0.999'
  const batch = c === 0 ? '16' : '32'
  const schedule = (a ^ b ^ c) === 0 ? 'linear' : 'squaredcos_cap_v2'
  return {
    name: `noise-${setting + 1}`,
    about: `predicts noise: ${schedule}, rate ${lr}, EMA ${ema}, batch ${batch}`,
    flags: `--process gaussian --predict epsilon --variance learnedRange --schedule ${schedule} ${PATCH_4} ${COURSE} --lr ${lr} --ema ${ema} --batch ${batch}`,
  }
})

/** What blocks are made of: one change at a time to `x0-patch-2`, and the modern parts at once. */
const BLOCKS: readonly Row[] = Object.entries({
  'in-context': ["the paper's in-context conditioning", '--block in-context'],
  'cross-attention': ["the paper's cross-attention", '--block cross-attention'],
  adaln: ["the paper's adaLN, without gates", '--block adaLN'],
  rope: ['rotary positions', '--rope'],
  swiglu: ['SwiGLU', '--mlp swiglu'],
  rms: ['RMS norms', '--norm rms'],
  'qk-norm': ['QK norm', '--norm rms --qk-norm'],
  'no-shift': ['modulation without shift', '--without-shift'],
  'shared-modulation': ['modulation shared by all blocks', '--shared-modulation'],
  modern: ['RoPE, SwiGLU, RMS norms and QK norm', '--rope --mlp swiglu --norm rms --qk-norm'],
}).map(([name, [about, flags]]) => ({
  name: `block-${name}`,
  about: `x0-patch-2, ${about}`,
  flags: `${X0} ${PATCH_2} ${COURSE} --lr 0.005 --ema 0.999 --batch 16 ${flags}`,
}))

/** All rows, in the order in which they are screened. A row is never changed once it has results; a new one is added. */
export const ROWS: readonly Row[] = [
  { name: 'default', about: '`dit train` as it is', flags: '--recipe pictures' },
  { name: 'paper', about: "the paper's settings", flags: '--recipe paper' },
  ...NOISE,
  {
    name: 'x0-patch-4',
    about: 'predicts x0, patches of 4',
    flags: `${X0} ${PATCH_4} ${COURSE} --lr 0.004 --ema 0.999 --batch 16`,
  },
  {
    name: 'x0-patch-2',
    about: 'predicts x0, patches of 2, width 64',
    flags: `${X0} ${PATCH_2} ${COURSE} --lr 0.005 --ema 0.999 --batch 16`,
  },
  {
    name: 'x0-patch-2-48',
    about: 'the same, width 48',
    flags: `${X0} --patch 2 --hidden 48 --depth 4 --heads 2 ${COURSE} --lr 0.006 --ema 0.999 --batch 16`,
  },
  {
    name: 'x0-patch-2-96',
    about: 'the same, width 96',
    flags: `${X0} --patch 2 --hidden 96 --depth 4 --heads 3 ${COURSE} --lr 0.004 --ema 0.999 --batch 16`,
  },
  {
    name: 'x0-patch-2-slow',
    about: 'x0-patch-2, half the rate',
    flags: `${X0} ${PATCH_2} ${COURSE} --lr 0.0025 --ema 0.999 --batch 16`,
  },
  {
    name: 'x0-patch-2-batch-8',
    about: 'x0-patch-2, batches of 8',
    flags: `${X0} ${PATCH_2} ${COURSE} --lr 0.004 --ema 0.999 --batch 8`,
  },
  {
    name: 'x0-patch-2-batch-32',
    about: 'x0-patch-2, batches of 32',
    flags: `${X0} ${PATCH_2} ${COURSE} --lr 0.006 --ema 0.998 --batch 32`,
  },
  {
    name: 'x0-patch-2-ema',
    about: 'x0-patch-2, a shorter average',
    flags: `${X0} ${PATCH_2} ${COURSE} --lr 0.005 --ema 0.995 --batch 16`,
  },
  {
    name: 'x0-patch-2-min-snr',
    about: 'x0-patch-2, min-SNR weights',
    flags: `${X0} ${PATCH_2} ${COURSE} --loss-weight min-snr:5 --lr 0.005 --ema 0.999 --batch 16`,
  },
  {
    name: 'gvp-patch-2',
    about: 'flow on a path that keeps the variance, predicts velocity',
    flags: `--process flow --path gvp ${PATCH_2} ${COURSE} --lr 0.005 --ema 0.999 --batch 16`,
  },
  {
    name: 'flow-patch-2',
    about: 'flow, predicts velocity, uniform times',
    flags: `--process flow ${PATCH_2} ${COURSE} --lr 0.005 --ema 0.999 --batch 16`,
  },
  {
    name: 'flow-patch-2-logit-normal',
    about: 'flow, predicts velocity, logit-normal times',
    flags: `--process flow --times logitNormal ${PATCH_2} ${COURSE} --lr 0.005 --ema 0.999 --batch 16`,
  },
  {
    name: 'jit-patch-2',
    about: 'flow, predicts x0, velocity loss (JiT)',
    flags: `--process flow --predict x0 --weighting velocity --times logitNormal ${PATCH_2} ${COURSE} --lr 0.005 --ema 0.999 --batch 16`,
  },
  {
    name: 'x0-patch-2-interval',
    about: 'x0-patch-2, guidance of 2 in the middle only',
    flags: '',
    trainedAs: 'x0-patch-2',
    sampling: '--guidance 2 --guidance-interval 0.3,5',
  },
  ...BLOCKS,
]

/** The row whose training a row samples. */
export function trainingOf(row: Row): Row {
  if (row.trainedAs === undefined) return row
  const found = ROWS.find(({ name }) => name === row.trainedAs)
  if (found === undefined) throw new Error(`${row.name} is trained as ${row.trainedAs}, which is no row`)
  return found
}

/** Rows by name, or all. */
export function rowsNamed(names: string): readonly Row[] {
  if (names === 'all') return ROWS
  return names.split(',').map((name) => {
    const row = ROWS.find((one) => one.name === name)
    if (row === undefined)
      throw new Error(`there is no row ${name}; there are ${ROWS.map((one) => one.name).join(', ')}`)
    return row
  })
}
