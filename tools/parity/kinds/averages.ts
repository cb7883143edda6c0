import { emaCourseAt, exponentOfWidth, posthocFactors, powerDecay, powerProfile, widthOfExponent } from '@dit/train-ddp'
import type { KindRunner } from '../outcome.js'

/** Power-function averages and their reconstruction after training. */
export const posthocEma: KindRunner = async ({ config, tensors }, _fixture, outcome) => {
  const widths = config.stds as number[]
  const exponents = widths.map(exponentOfWidth)
  outcome.set('out.exponent', exponents)
  outcome.set('out.std_back', exponents.map(widthOfExponent))
  outcome.set(
    'out.beta',
    widths.flatMap((width) => (config.t_next as number[]).map((time) => powerDecay(width, time, config.t_delta))),
  )
  const averages = (times: number[], of: number[]) => times.map((time, i) => ({ time, width: of[i] }))
  const stored = averages(config.in_ofs, config.in_std)
  const factors = averages(config.out_ofs, config.out_std).map((wanted) => posthocFactors(stored, wanted))
  outcome.set(
    'out.coefficients',
    stored.flatMap((_, i) => factors.map((column) => column[i])),
  )
  const length = tensors!.find(({ name }) => name === 'out.response')!.shape![0]
  outcome.set('out.response', powerProfile({ time: length - 1, width: widths[0] }, length))
}

/** Facts: the decay of diffusers' `EMAModel` after some steps. */
export const emaSchedules: KindRunner = async ({ facts }, _fixture, outcome) => {
  for (const { options, decay_after_step: decays } of facts) {
    const { inv_gamma: invGamma, power } = options
    const course = {
      decay: options.decay,
      minDecay: options.min_decay,
      updateAfter: options.update_after_step,
      warmup: options.use_ema_warmup === true ? { invGamma, power } : undefined,
    }
    for (const [step, decay] of Object.entries<number>(decays)) {
      const got = emaCourseAt(Number(step), course)
      outcome.fact(`${JSON.stringify(options)} after ${step}: ${decay}`, Math.abs(got - decay) <= 1e-12)
    }
  }
}
