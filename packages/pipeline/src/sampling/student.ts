import { distilledPath, isFlow, type PredictAt, processFromSpec, type ProcessSpec } from '@dit/diffusion'
import { ddim } from '@dit/sampler'
import type { OpenModel } from '../open-model.js'
import { OptionError } from '../option-error.js'
import type { SampleOptions } from './sample-options.js'
import type { Solving } from './solving.js'

/** What guidance by two passes has, and a network that takes the scale as an input, or has it in its weights, does not. */
const OF_TWO_PASSES = ['guide', 'guidanceInterval', 'guidanceRescale', 'guidanceChannels', 'nullClass'] as const
/** What lays out steps, and what adds noise to them. */
const OF_STEPS = ['spacing', 'shift', 'eta', 'draws'] as const

/**
 * Options of sampling a student: its own steps, and its own guidance, are filled in.
 *
 * @throws OptionError for options that would ask for what it has not learned
 */
export function studentOptions({ name, process, network }: OpenModel, options: SampleOptions): SampleOptions {
  const { guidance } = options
  const refuse = (names: readonly (keyof SampleOptions)[], why: string) => {
    const found = names.find((option) => options[option] !== undefined)
    if (found !== undefined) throw new OptionError(found, `it cannot be chosen, because ${name} ${why}`)
  }
  const isInput = network.guidanceRange !== undefined
  refuse(OF_TWO_PASSES, isInput ? 'takes the scale of guidance as an input' : 'has guidance in its weights')
  const [low, high] = network.guidanceRange ?? [1, 1]
  const scale = guidance ?? Math.min(Math.max(1, low), high)
  if (!(scale >= low && scale <= high)) {
    const range = isInput
      ? `must be ${low} to ${high}, the scales that ${name} has learned`
      : `must be 1, because ${name} has guidance in its weights`
    throw new OptionError('guidance', `it ${range}`, guidance)
  }
  if (process?.distilled === undefined) return { ...options, guidance: scale }
  const { numSteps } = process.distilled
  const sampler = isFlow(process) ? 'euler' : 'ddim'
  const why = `is a student of ${numSteps} ${numSteps === 1 ? 'step' : 'steps'}`
  refuse(OF_STEPS, why)
  if ((options.sampler ?? sampler) !== sampler) {
    throw new OptionError('sampler', `it must be ${sampler}, because ${name} ${why}`, options.sampler)
  }
  if ((options.steps ?? numSteps) !== numSteps) {
    throw new OptionError('steps', `it must be ${numSteps}, because ${name} ${why}`, options.steps)
  }
  return { ...options, guidance: scale, sampler, steps: numSteps }
}

/** How a student is solved: by deterministic steps along the path that it was taught. */
export function studentSolving(
  process: ProcessSpec,
  predict: PredictAt,
  {
    outputsPerChannel,
    clip,
    signal,
  }: { readonly outputsPerChannel: 1 | 2; readonly clip: boolean; readonly signal?: AbortSignal | undefined },
): Solving {
  const known = processFromSpec(process, outputsPerChannel)
  const path = distilledPath(known, process.distilled!)
  const denoise = known.denoiser(predict, clip ? { clipRange: 1 } : {})
  return { path, denoise, scale: path.startScale, solve: (...at) => ddim(...at, { signal }) }
}
