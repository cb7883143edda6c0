import { MEASURES } from '@dit/evaluate'
import type { StepRecord } from '@dit/train-ddp'

/** Names of what the log calls otherwise; other numbers keep their names. */
const TAGS: Readonly<Record<string, string>> = {
  gradNorm: 'gradient_norm',
  learningRate: 'learning_rate',
  emaDecay: 'ema_decay',
  lossScale: 'loss_scale',
}

/** Numbers of a step that are counts, which the axis has already. */
const COUNTS = new Set(['step', 'examples'])

/** The numbers of a step as TensorBoard shows them: `train/loss`, `train/learning_rate`, `held_out/error`. */
export function scalarsOf({ measures = {}, ...record }: StepRecord): Record<string, number> {
  const own = Object.entries(record)
    .filter((entry): entry is [string, number] => typeof entry[1] === 'number' && !COUNTS.has(entry[0]))
    .map(([name, value]) => [`train/${TAGS[name] ?? name}`, value] as const)
  const measured = Object.entries(measures).map(([name, value]) => [measureTag(name), value] as const)
  return Object.fromEntries([...own, ...measured])
}

/**
 * `heldOut` -> `held_out/error`, `heldOutSnr0.1` -> `held_out/error_at_snr_0.1`, measures of samples as `samples/frechet`; others keep their
 * names.
 */
function measureTag(name: string): string {
  if (name === 'heldOut') return 'held_out/error'
  const [, snr] = /^heldOutSnr(.+)$/.exec(name) ?? []
  if (snr !== undefined) return `held_out/error_at_snr_${snr}`
  return (MEASURES as readonly string[]).includes(name) ? `samples/${name}` : `measures/${name}`
}
