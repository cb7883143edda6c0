import { checkLossWeight, type LossWeight } from '@dit/schedules'
import { InvalidArgumentError } from 'commander'
import { messageOf } from '../terminal/errors.js'

/** How `--loss-weight` is written. */
export const LOSS_WEIGHT_FORMS =
  'none, min-snr[:gamma], p2[:k,gamma], max-snr[:gamma], snr, truncated-snr or inverse-snr'

/** Gamma of min-SNR in its paper. */
const GAMMA = 5

/** The most numbers that may follow a name, and the weight that they make. */
const FORMS = new Map<string, readonly [most: number, weight: (first?: number, second?: number) => LossWeight]>([
  ['none', [0, () => 'none']],
  ['min-snr', [1, (gamma = GAMMA) => ({ minSnr: gamma })]],
  ['p2', [2, (k = 1, gamma = 1) => ({ p2: { k, gamma } })]],
  ['max-snr', [1, (gamma = GAMMA) => ({ maxSnr: gamma })]],
  ['snr', [0, () => 'snr']],
  ['truncated-snr', [0, () => 'truncatedSnr']],
  ['inverse-snr', [0, () => 'inverseSnr']],
])

/** A loss weight as `--loss-weight` takes it, in the one form that stands for it: `min-snr` becomes `min-snr:5`. */
export function lossWeightFlag(text: string): string {
  return lossWeightText(parseLossWeight(text))
}

/** The loss weight that a flag stands for. */
export function parseLossWeight(text: string): LossWeight {
  const [name, ...rest] = text.split(':')
  const numbers = rest.length === 0 ? [] : rest.join(':').split(',').map(toNumber)
  const [most, make] = FORMS.get(name) ?? [-1]
  if (make === undefined || numbers.length > most) throw new InvalidArgumentError(`It must be ${LOSS_WEIGHT_FORMS}.`)
  const weight = make(...numbers)
  try {
    checkLossWeight('--loss-weight', weight)
  } catch (error) {
    throw new InvalidArgumentError(`${messageOf(error)}.`)
  }
  return weight
}

/** A loss weight as a flag. */
export function lossWeightText(weight: LossWeight = 'none'): string {
  if (typeof weight === 'string') return weight.replace('Snr', '-snr')
  if ('minSnr' in weight) return `min-snr:${weight.minSnr}`
  if ('maxSnr' in weight) return `max-snr:${weight.maxSnr}`
  const { k = 1, gamma = 1 } = weight.p2
  return `p2:${k},${gamma}`
}

function toNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}
