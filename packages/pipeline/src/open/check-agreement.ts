import type { ModelWeights, ProcessDescription } from '@dit/model'
import { type Schedule, scheduleBetas } from '@dit/schedules'
import { OpenError } from '../option-error.js'
import type { Scheduler } from './scheduler.js'

/**
 * Throws where a scheduler is for another process than the weights say that they were trained on: one of the two is wrong.
 *
 * @throws OpenError
 */
export function checkAgreement(
  { process: own }: Pick<ModelWeights, 'process'>,
  { path, process: theirs, isGaussian }: Pick<Scheduler, 'path' | 'process' | 'isGaussian'>,
): void {
  if (own === null) return
  const isFlowOwn = own.kind === 'flow'
  const says = isFlowOwn ? 'a flow' : 'a Gaussian diffusion'
  if (theirs !== null && isFlowOwn !== (theirs.kind === 'flow')) {
    throw new OpenError(
      path,
      `it is for ${isFlowOwn ? 'a Gaussian diffusion' : 'a flow'}, but the weights say that they are those of ${says}`,
    )
  }
  if (isFlowOwn && isGaussian)
    throw new OpenError(path, `it is for a Gaussian diffusion, but the weights say that they are those of ${says}`)
  if (theirs === null) return
  const [mine, other] = [own, theirs].map(
    (each: Readonly<Record<string, unknown>>) => each['meanType'] ?? each['prediction'],
  )
  if (mine !== undefined && other !== undefined && mine !== other) {
    throw new OpenError(
      path,
      `it is for a network that predicts ${JSON.stringify(other)}, but the weights say that theirs predicts ${JSON.stringify(mine)}`,
    )
  }
  if (!isFlowOwn) checkBetas(path, own, theirs)
}

/** Programs compute betas in float32 or in float64. */
const ROUNDING = 1e-5

function checkBetas(path: string, own: ProcessDescription, theirs: ProcessDescription): void {
  const [mine, other] = [betasOf(path, own), betasOf(path, theirs)]
  const isSame =
    mine.length === other.length && mine.every((beta, i) => Math.abs(beta - other[i]) <= ROUNDING * Math.abs(beta))
  if (isSame) return
  throw new OpenError(
    path,
    `it has ${betasText(other)}, but the weights say that they were trained on ${betasText(mine)}`,
  )
}

function betasOf(path: string, process: ProcessDescription): readonly number[] {
  const { betas, schedule = 'linear', numTimesteps = 1000, betaStart, betaEnd } = process
  if (typeof betas === 'object' && betas !== null) return Object.values(betas).map(Number)
  const ends = {
    ...(betaStart === undefined ? {} : { betaStart: Number(betaStart) }),
    ...(betaEnd === undefined ? {} : { betaEnd: Number(betaEnd) }),
  }
  try {
    return [...scheduleBetas(schedule as Schedule, Number(numTimesteps), ends)]
  } catch (cause) {
    throw new OpenError(path, `it cannot be compared with the process of the weights: ${(cause as Error).message}`, {
      cause,
    })
  }
}

/** Two of the betas tell schedules apart that begin and end alike. */
function betasText(betas: readonly number[]): string {
  const of = (i: number) => Number(betas[i].toPrecision(4))
  const middle = betas.length >> 1
  return `${betas.length} betas from ${of(0)} by ${of(middle)} in the middle to ${of(betas.length - 1)}`
}
