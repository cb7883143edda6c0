import { ddimTimesteps, diffusionTables, type Path, type PathStep } from '@dit/schedules'
import { ancestral, type PathVariance } from '../ancestral.js'
import { ddim } from '../ddim.js'
import { flag, number, requireOneOf } from '../diffusers-fields.js'
import { betasOf } from '../diffusers-process.js'
import type { NoiseSource } from '../noise.js'
import { plms } from '../plms.js'
import { pndm, type PndmMiddle } from '../pndm.js'
import {
  checkTimesteps,
  clipOf,
  type DiffusersClass,
  levelOfShare,
  predictionOf,
  refuseOptions,
  refuseSteps,
  spacingOf,
} from './plan.js'

/** `DDIMScheduler`. */
export const ddimDiscrete: DiffusersClass = (fields) => {
  const { alphaBar } = diffusionTables(betasOf(fields))
  const prediction = predictionOf(fields, ['epsilon', 'sample', 'v_prediction'])
  const spacing = spacingOf(fields, 'leading')
  const stepsOffset = number(fields, 'steps_offset', 0)
  const last = flag(fields, 'set_alpha_to_one', true) ? 1 : alphaBar[0]
  const clip = clipOf(fields, true)
  return (asked) => {
    refuseSteps('DDIMScheduler', asked, ['usesClippedModelOutput'])
    const { numSteps, usesClippedModelOutput = false } = asked
    const stride = Math.floor(alphaBar.length / numSteps)
    const timesteps = ddimTimesteps({ numTimesteps: alphaBar.length, numSteps, spacing, stepsOffset })
    const steps = Array.from(timesteps, (timestep): PathStep => {
      // A step leads one stride down, whatever the next timestep is.
      const next = timestep - stride
      const to = levelOfShare(next < 0 ? last : alphaBar[next], Math.max(next, 0))
      return { from: levelOfShare(alphaBar[timestep], timestep), to }
    })
    return {
      path: { steps, startScale: 1 },
      alphaBar,
      reading: { prediction, noiseFrom: usesClippedModelOutput ? 'clippedX0' : 'prediction', ...clip },
      solve: (path, denoise, xT, options) => {
        refuseOptions('DDIMScheduler', options, ['eta'])
        return ddim(path, denoise, xT, options)
      },
    }
  }
}

const VARIANCES: Readonly<Record<string, PathVariance>> = {
  fixed_small: 'fixedSmall',
  fixed_small_log: 'fixedSmall',
  fixed_large: 'fixedLarge',
  learned: 'learned',
  learned_range: 'learnedRange',
}

/** `DDPMScheduler`. */
export const ddpmDiscrete: DiffusersClass = (fields) => {
  const { alphaBar } = diffusionTables(betasOf(fields))
  const prediction = predictionOf(fields, ['epsilon', 'sample', 'v_prediction'])
  // fixed_large_log takes the root of a logarithm there, which is NaN.
  const variance = VARIANCES[requireOneOf(fields, 'variance_type', Object.keys(VARIANCES))]
  const spacing = spacingOf(fields, 'leading')
  const stepsOffset = number(fields, 'steps_offset', 0)
  const clip = clipOf(fields, true)
  const outputsPerChannel = variance.startsWith('learned') ? 2 : 1
  return (asked) => {
    refuseSteps('DDPMScheduler', asked, ['timesteps'])
    const { numSteps, timesteps: given } = asked
    checkTimesteps('DDPMScheduler', given, alphaBar.length, true)
    const timesteps = given ?? ddimTimesteps({ numTimesteps: alphaBar.length, numSteps, spacing, stepsOffset })
    const levels = Array.from(timesteps, (timestep) => levelOfShare(alphaBar[timestep], timestep))
    const steps = levels.map((from, i): PathStep => ({ from, to: levels[i + 1] ?? levelOfShare(1, 0) }))
    return {
      path: { steps, startScale: 1 },
      alphaBar,
      reading: { prediction, outputsPerChannel, ...clip },
      solve: (path, denoise, xT, options) => {
        refuseOptions('DDPMScheduler', options)
        return ancestral(path, denoise, xT, { ...(options as typeof options & NoiseSource), variance })
      },
    }
  }
}

/** `PNDMScheduler`. */
export const pndmDiscrete: DiffusersClass = (fields) => {
  const name = 'PNDMScheduler'
  const { alphaBar } = diffusionTables(betasOf({ ...fields, rescale_betas_zero_snr: false }))
  const prediction = predictionOf(fields, ['epsilon', 'v_prediction'])
  const skips = flag(fields, 'skip_prk_steps', false)
  const last = flag(fields, 'set_alpha_to_one', false) ? 1 : alphaBar[0]
  const spacing = spacingOf(fields, 'leading')
  const stepsOffset = number(fields, 'steps_offset', 0)
  const combines = prediction === 'v' ? 'v' : 'noise'
  const levelAt = (timestep: number) => {
    if (timestep >= alphaBar.length) {
      throw new RangeError(`diffusersSampler: ${name} would need timestep ${timestep} of ${alphaBar.length}`)
    }
    return levelOfShare(timestep < 0 ? last : alphaBar[timestep], Math.max(timestep, 0))
  }
  return (asked) => {
    refuseSteps(name, asked)
    const { numSteps } = asked
    const numTimesteps = alphaBar.length
    const timesteps = [...ddimTimesteps({ numTimesteps, numSteps, spacing, stepsOffset })]
    const stride = Math.floor(numTimesteps / numSteps)
    const down = (timestep: number) => ({ from: levelAt(timestep), to: levelAt(timestep - stride) })
    const plan = { alphaBar, reading: { prediction } }
    if (skips) {
      const [, second] = timesteps
      // The first step is taken again from where the second timestep's stride begins.
      const retaken = second === undefined ? undefined : { from: levelAt(second + stride), to: levelAt(second) }
      return {
        ...plan,
        path: { steps: timesteps.map(down), startScale: 1 },
        solve: (path, denoise, xT, options) => {
          refuseOptions(name, options)
          return plms(path, denoise, xT, { signal: options.signal, combines, retaken })
        },
      }
    }
    if (numSteps < 4) {
      throw new RangeError(`diffusersSampler: ${name} needs 4 steps unless skip_prk_steps is true (got ${numSteps})`)
    }
    const half = Math.floor(stride / 2)
    const warmUp = timesteps.slice(0, 3)
    const middles = warmUp.map((timestep, i): PndmMiddle => {
      const next = timesteps[i + 1]
      return { level: levelAt(next + half), reached: levelAt(timestep - half) }
    })
    const path: Path = {
      steps: [
        ...warmUp.map((timestep, i): PathStep => {
          return { from: levelAt(timestep), to: levelAt(timesteps[i + 1]) }
        }),
        ...timesteps.slice(3).map(down),
      ],
      startScale: 1,
    }
    return {
      ...plan,
      path,
      solve: (along, denoise, xT, options) => {
        refuseOptions(name, options)
        return pndm(along, denoise, xT, { signal: options.signal, combines, middles })
      },
    }
  }
}
