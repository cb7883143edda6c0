import {
  type CompleteProcess,
  completeProcess,
  distillationLosses,
  distilledPath,
  type DistilledSteps,
  type PredictAt,
  processFromSpec,
  type ProcessSpec,
} from '@dit/diffusion'
import { integers, randomStream } from '@dit/random'
import type { Path } from '@dit/schedules'
import { add, affine, concat, type Params, randomNormal, reshape, slice, type Tensor } from '@dit/tensor'
import { batchTensor } from '../batch.js'
import { checkShapes } from './check-shapes.js'
import { checkPictures } from './denoising.js'
import { checkNetwork, type Network } from './network.js'
import type { Objective } from './objective.js'

export interface DistillationOptions extends DistilledSteps {
  /** Parameters of the teacher, on the engine that trains: the caller's, and needed as long as the objective is. */
  readonly teacher: Params
  /** What identifies the teacher, such as its `weightsDigest`: a run resumes exactly only under an equal one. */
  readonly teacherDigest: string
  /**
   * Scale of classifier-free guidance that the student takes over from the teacher (default 1: none). Give it to the first stage
   * only: a student is guided by itself, in one forward pass.
   */
  readonly guidanceScale?: number
}

/** `spec` of an objective of `distillation`. */
export interface DistillationSpec<NetworkSpec = object> extends DistilledSteps {
  readonly kind: 'distillation'
  readonly network: NetworkSpec
  readonly process: CompleteProcess
  readonly teacher: string
  readonly guidanceScale: number
}

/** What `distillation` gives: an objective that also says how its student is sampled. */
export interface DistillationObjective<NetworkSpec = object> extends Objective<null> {
  readonly spec: DistillationSpec<NetworkSpec>
  readonly network: Network
  /** The student's path, `numSteps` steps: sample with `ddim` along it, without guidance. */
  readonly path: Path
}

/**
 * One stage of progressive distillation: a student learns to do in one step what its teacher does in two. Student and teacher are the
 * same network; the student begins with the teacher's weights. Halve `numSteps` from stage to stage, with the student's averaged
 * weights as the next teacher and the same `startSteps`, and let the learning rate fall to 0 in each.
 *
 *     distillation(dit(config), process, { teacher, teacherDigest, startSteps: 32, numSteps: 16, guidanceScale: 2 })
 *
 * Batches are those of `denoising`. Labels are not dropped: the student has no other use for them than to be told its class. Noise is
 * stream `noise` of the seed and step, the student's steps are stream `distilled-steps`, uniform over all of them.
 *
 * The scale is fixed for a student, not an input of it: students of another scale are trained anew. All pictures' channels are guided.
 * Predictions of the noise say little of x0 where there is hardly any signal, so that students of one or two steps want `x0`, `v` or a velocity.
 *
 * @throws RangeError for weights that are not the network's, a process that does not fit it, numbers of steps that halving does not
 *   lead to, an empty digest, and a guidance scale other than 1 where the network has no label for no class
 *
 * Salimans and Ho 2022, "Progressive Distillation for Fast Sampling of Diffusion Models", algorithm 2; Meng et al. 2023, "On
 * Distillation of Guided Diffusion Models", section 3, where the scale is an input.
 */
export function distillation<Conditions, NetworkSpec extends object>(
  network: Network<Conditions> & { readonly spec: NetworkSpec },
  process: ProcessSpec,
  { teacher, teacherDigest, startSteps, numSteps, guidanceScale = 1 }: DistillationOptions,
): DistillationObjective<NetworkSpec> {
  checkNetwork(network)
  checkShapes('distillation: the teacher', network.parameters, teacher)
  if (typeof teacherDigest !== 'string' || teacherDigest === '') {
    throw new RangeError(
      'distillation: teacherDigest must identify the teacher, such as weightsDigest of its weights does',
    )
  }
  const complete = completeProcess(process)
  const known = processFromSpec(complete, network.outputsPerChannel)
  if (known.outputsPerChannel !== network.outputsPerChannel) {
    throw new RangeError(
      `distillation: the network has ${network.outputsPerChannel} outputs per channel, but the process needs ${known.outputsPerChannel}`,
    )
  }
  const teacherPath = distilledPath(known, { startSteps, numSteps: 2 * numSteps })
  const path = distilledPath(known, { startSteps, numSteps })
  const guide = guideOf(network, guidanceScale)
  return {
    spec: {
      kind: 'distillation',
      network: network.spec,
      process: complete,
      teacher: teacherDigest,
      startSteps,
      numSteps,
      guidanceScale,
    },
    network,
    path,
    parameters: network.parameters,
    blocks: network.blocks,
    terms: ['loss', 'mse'],
    init: () =>
      Object.fromEntries(Object.entries(teacher).map(([name, weight]) => [name, reshape(weight, weight.shape)])),
    checkBatch(batch) {
      checkPictures(network, batch)
      network.conditions(batch, null)
    },
    draw: (_, { seed, step, batchSize }) => ({
      timesteps: integers(randomStream(seed, 'distilled-steps', step), numSteps, batchSize),
      importanceWeights: new Float32Array(batchSize).fill(1),
    }),
    losses(params, batch, { timesteps }, { seed, step, start, recompute, backend }) {
      const x0 = batchTensor(batch, 'x0', backend) // [B, C, H, W]
      const stream = randomStream(seed, 'noise', step)
      const noise = randomNormal(x0.shape, stream, { backend, start: (start * x0.size) / batch.count })
      const conditions = network.conditions(batch, null)
      const student: PredictAt = (xt, told) =>
        network.forward(params, { xt, timesteps: told, conditions }, { recompute })
      const asked: PredictAt = (xt, told) =>
        network.forward(teacher, { xt, timesteps: told, conditions }, { recompute: 'none' })
      const predictors = { student, teacher: guide(asked, teacher, batch.count) }
      return { ...distillationLosses(known, predictors, { x0, noise, steps: timesteps as Int32Array }, teacherPath) }
    },
  }
}

/** Wraps a teacher that knows the class into one that leans towards it. */
type Guide = (asked: PredictAt, teacher: Params, count: number) => PredictAt

/**
 * output = uncond + scale (cond - uncond) on the channels of x0, cond for a variance.
 *
 * Ho and Salimans 2022, "Classifier-Free Diffusion Guidance", eq. 6, with scale = 1 + w.
 */
function guideOf<Conditions>(network: Network<Conditions>, scale: number): Guide {
  if (!Number.isFinite(scale)) throw new RangeError(`distillation: guidanceScale must be finite (got ${scale})`)
  if (scale === 1) return (asked) => asked
  const { classes } = network
  const nullLabel = classes?.nullLabel ?? null
  if (classes === undefined || nullLabel === null) {
    throw new RangeError(
      `distillation: guidanceScale ${scale} needs a teacher with a label for no class (a DiT: trained with classDropout above 0); leave it out`,
    )
  }
  return (asked, teacher, count) => (xt, timesteps) => {
    const cond = asked(xt, timesteps)
    const none = classes.conditions(new Int32Array(count).fill(nullLabel))
    const uncond = network.forward(teacher, { xt, timesteps, conditions: none }, { recompute: 'none' })
    if (network.outputsPerChannel === 1) return mix(cond, uncond, scale)
    const [, channels] = xt.shape
    const [first, rest] = [0, channels].map((at) => slice(cond, 1, at, channels))
    return concat([mix(first, slice(uncond, 1, 0, channels), scale), rest], 1)
  }
}

function mix(cond: Tensor, uncond: Tensor, scale: number): Tensor {
  return add(affine(cond, scale), affine(uncond, 1 - scale))
}
