import { type Backend, useBackend } from '@dit/tensor'
import { errorOverTolerance } from './compare.js'
import { toleranceFactor } from './factors.js'
import { readFixture } from './fixture.js'
import { checkpoints } from './kinds/checkpoints.js'
import { diffusionSteps } from './kinds/diffusion-steps.js'
import { ditForward } from './kinds/dit-forward.js'
import { ditInit } from './kinds/dit-init.js'
import { embeddings } from './kinds/embeddings.js'
import { flowPaths } from './kinds/flow-paths.js'
import { flowSampling } from './kinds/flow-sampling.js'
import {
  authentic,
  cmmdCases,
  fidInfinity,
  frechet,
  inception,
  kid,
  prdc,
  sfid,
  streaming,
  vendi,
} from './kinds/metrics.js'
import { resizing } from './kinds/metrics-resize.js'
import { modernBlocks } from './kinds/modern-blocks.js'
import { optimizer } from './kinds/optimizer.js'
import { paperFacts } from './kinds/paper-facts.js'
import { sampling } from './kinds/sampling.js'
import { diffusionConstants, respacing, timestepSamplers } from './kinds/schedules.js'
import { isoFlop, lossLaws, powerLaws } from './kinds/scaling.js'
import { schedulers } from './kinds/schedulers.js'
import { trainingExtras } from './kinds/training-extras.js'
import { lossesAndGradients } from './kinds/training-losses.js'
import type { Case } from './manifest.js'
import { type KindRunner, Outcome } from './outcome.js'

const kinds: Readonly<Record<string, KindRunner>> = {
  'dit-forward': ditForward,
  'dit-init': ditInit,
  embeddings,
  'diffusion-constants': diffusionConstants,
  respace: respacing,
  'training-losses': lossesAndGradients,
  optimizer,
  sampling,
  'diffusion-steps': diffusionSteps,
  'timestep-samplers': timestepSamplers,
  checkpoints,
  schedulers,
  'flow-paths': flowPaths,
  'flow-sampling': flowSampling,
  'training-extras': trainingExtras,
  'modern-blocks': modernBlocks,
  'paper-facts': paperFacts,
  'metrics-frechet': frechet,
  'metrics-sfid': sfid,
  'metrics-kid': kid,
  'metrics-cmmd': cmmdCases,
  'metrics-is': inception,
  'metrics-prdc': prdc,
  'metrics-fid-infinity': fidInfinity,
  'metrics-vendi': vendi,
  'metrics-authenticity': authentic,
  'metrics-streaming': streaming,
  'metrics-resize': resizing,
  'scaling-fits': lossLaws,
  'scaling-isoflop': isoFlop,
  'scaling-power': powerLaws,
}

/** Whether the runner knows a kind of case. */
export function isKnown(kind: string): boolean {
  return Object.hasOwn(kinds, kind)
}

export interface CaseResult {
  readonly status: 'ok' | 'FAIL' | 'unsupported' | 'unknown'
  /** Largest error over its tolerance; an engine may be allowed more than 1, see `toleranceFactor`. */
  readonly worst: number
  /** Where that is, or what went wrong. */
  readonly where: string
}

/** Runs one case and compares every expected tensor; a tensor that nobody computed is a failure. */
export async function runCase(folder: string, entry: Case, backend: Backend): Promise<CaseResult> {
  const runner = kinds[entry.kind]
  if (runner === undefined) return { status: 'unknown', worst: Infinity, where: `unknown kind ${entry.kind}` }
  const outcome = new Outcome()
  await useBackend(backend)
  try {
    const fixture = await readFixture(folder, entry, backend)
    await runner(entry, fixture, outcome, folder)
    let [worst, where] = [0, 'nothing to compare']
    const note = (share: number, what: string) => {
      if (share >= worst) [worst, where] = [share, what]
    }
    for (const tensor of entry.tensors ?? []) {
      if (tensor.role !== 'expected') continue
      const got = outcome.values.get(tensor.name)
      if (got === undefined) note(Infinity, `${tensor.name} was not computed`)
      else note(errorOverTolerance(tensor, fixture, got), tensor.name)
    }
    for (const { claim, holds } of outcome.facts) note(holds ? 0 : Infinity, claim)
    const nothing = outcome.facts.length === 0 && !entry.tensors?.some(({ role }) => role === 'expected')
    if (worst > toleranceFactor(backend.name, entry.kind)) return { status: 'FAIL', worst, where }
    if (outcome.unsupported !== null) return { status: 'unsupported', worst, where: outcome.unsupported }
    return nothing ? { status: 'FAIL', worst: Infinity, where } : { status: 'ok', worst, where }
  } catch (error) {
    return { status: 'FAIL', worst: Infinity, where: error instanceof Error ? error.message : String(error) }
  }
}
