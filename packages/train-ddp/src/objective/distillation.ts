import {
  type CompleteProcess,
  completeProcess,
  distillationLosses,
  distilledPath,
  type DistilledSteps,
  type PredictAt,
  type Process,
  processFromSpec,
  type ProcessSpec,
} from '@dit/diffusion'
import { integers, randomStream } from '@dit/random'
import type { Path } from '@dit/schedules'
import {
  add,
  concat,
  formatShape,
  mul,
  type Params,
  randomNormal,
  reshape,
  sameShape,
  slice,
  sub,
  tensor,
  type Tensor,
} from '@dit/tensor'
import { batchTensor, type TrainBatch } from '../batch.js'
import { checkShapes } from './check-shapes.js'
import { checkPictures } from './denoising.js'
import { drawScales } from './draw-scales.js'
import { checkNetwork, type ClassConditions, type Network } from './network.js'
import type { Objective, Place } from './objective.js'

export interface DistillationOptions extends DistilledSteps {
  /** Parameters of the teacher, on the engine that trains: the caller's, and needed as long as the objective is. */
  readonly teacher: Params
  /** What identifies the teacher, such as its `weightsDigest`: a run resumes exactly only under an equal one. */
  readonly teacherDigest: string
  /**
   * The teacher's network, where it is not the student's own: for a student that takes the scale of guidance as an input, in the first stage,
   * the same network without that input.
   */
  readonly teacherNetwork?: Network
  /**
   * Scale of classifier-free guidance that the student takes over from the teacher (default 1: none). Give it to the first stage
   * only: a student is guided by itself, in one forward pass. Not for a student that takes the scale as an input.
   */
  readonly guidanceScale?: number
}

/** `spec` of an objective of `distillation`. */
export interface DistillationSpec<NetworkSpec = object> {
  readonly kind: 'distillation'
  readonly network: NetworkSpec
  /** The student's: its `distilled` has the steps. */
  readonly process: CompleteProcess
  readonly teacher: string
  /** Whether the teacher's network is another one than the student's, without its input for the scale. */
  readonly isFirst: boolean
  readonly guidanceScale: number
}

/** What `distillation` gives: an objective that also says how its student is sampled. */
export interface DistillationObjective<NetworkSpec = object> extends Objective<null> {
  readonly spec: DistillationSpec<NetworkSpec>
  readonly network: Network
  readonly process: Process
  /** Parameters of the teacher, as they were given. */
  readonly teacher: Params
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
 * A student whose network has a `guidanceRange` takes the scale as an input: it learns all scales of that range, each example one of its own,
 * uniform, from stream `guidance`.
 *
 *     const student = studentDiT({ ...config, guidanceRange: [1, 3] })
 *     distillation(student, process, { teacher, teacherNetwork: dit(config), teacherDigest, startSteps: 32, numSteps: 16 }) // then without teacherNetwork
 *
 * Batches are those of `denoising`. Labels are not dropped: the student has no other use for them than to be told its class. Noise is
 * stream `noise` of the seed and step, the student's steps are stream `distilled-steps`, uniform over all of them.
 *
 * All pictures' channels are guided. Predictions of the noise say little of x0 where there is hardly any signal, so that students of one
 * or two steps want `x0`, `v` or a velocity.
 *
 * @throws RangeError for weights that are not the network's, a teacher of another size, a process that does not fit it, numbers of steps that
 *   halving does not lead to, an empty digest, and guidance where the teacher has no label for no class
 *
 * Salimans and Ho 2022, "Progressive Distillation for Fast Sampling of Diffusion Models", algorithm 2; Meng et al. 2023, "On
 * Distillation of Guided Diffusion Models", section 3.
 */
export function distillation<Conditions, NetworkSpec extends object>(
  network: Network<Conditions> & { readonly spec: NetworkSpec },
  process: ProcessSpec,
  options: DistillationOptions,
): DistillationObjective<NetworkSpec> {
  const { teacher, teacherDigest, startSteps, numSteps, guidanceScale = 1 } = options
  const teacherNetwork: Network = options.teacherNetwork ?? network
  checkNetwork(network)
  checkNetwork(teacherNetwork)
  checkShapes('distillation: the teacher', teacherNetwork.parameters, teacher)
  checkSize(network, teacherNetwork)
  if (typeof teacherDigest !== 'string' || teacherDigest === '') {
    throw new RangeError(
      'distillation: teacherDigest must identify the teacher, such as weightsDigest of its weights does',
    )
  }
  checkTeacherSteps(process, options)
  const complete = completeProcess({ ...process, distilled: { startSteps, numSteps } })
  const known = processFromSpec(complete, network.outputsPerChannel)
  if (known.outputsPerChannel !== network.outputsPerChannel) {
    throw new RangeError(
      `distillation: the network has ${network.outputsPerChannel} outputs per channel, but the process needs ${known.outputsPerChannel}`,
    )
  }
  const teacherPath = distilledPath(known, { startSteps, numSteps: 2 * numSteps })
  const path = distilledPath(known, { startSteps, numSteps })
  const isFirst = teacherNetwork !== network
  const predictorsOf = predictorsBy(network, teacherNetwork, guidanceScale)
  return {
    spec: {
      kind: 'distillation',
      network: network.spec,
      process: complete,
      teacher: teacherDigest,
      isFirst,
      guidanceScale,
    },
    network,
    process: known,
    teacher,
    path,
    parameters: network.parameters,
    blocks: network.blocks,
    terms: ['loss', 'mse'],
    init({ seed, backend }) {
      const own = Object.fromEntries(
        Object.entries(teacher).map(([name, weight]) => [name, reshape(weight, weight.shape)]),
      )
      if (!isFirst) return own
      const all: Record<string, Tensor> = { ...network.init({ seed, backend }) }
      for (const [name, weight] of Object.entries(own)) {
        all[name].dispose()
        all[name] = weight
      }
      return all
    },
    checkBatch(batch) {
      checkPictures(network, batch)
      network.conditions(batch, null)
    },
    draw: (_, { seed, step, batchSize }) => ({
      timesteps: integers(randomStream(seed, 'distilled-steps', step), numSteps, batchSize),
      importanceWeights: new Float32Array(batchSize).fill(1),
    }),
    losses(params, batch, { timesteps }, at) {
      const { seed, step, start, backend } = at
      const x0 = batchTensor(batch, 'x0', backend) // [B, C, H, W]
      const stream = randomStream(seed, 'noise', step)
      const noise = randomNormal(x0.shape, stream, { backend, start: (start * x0.size) / batch.count })
      const predictors = predictorsOf({ params, teacher, batch, at })
      return { ...distillationLosses(known, predictors, { x0, noise, steps: timesteps as Int32Array }, teacherPath) }
    },
  }
}

/** Throws for a teacher that is a student itself, but not one of twice the steps. */
function checkTeacherSteps(
  { distilled }: ProcessSpec,
  { startSteps, numSteps, guidanceScale = 1 }: DistillationOptions,
): void {
  if (distilled === undefined) return
  if (distilled.startSteps !== startSteps || distilled.numSteps !== 2 * numSteps) {
    throw new RangeError(
      `distillation: the teacher is a student of ${distilled.numSteps} steps of ${distilled.startSteps}, so its student must have ${distilled.numSteps / 2} of them (got ${numSteps} of ${startSteps})`,
    )
  }
  if (guidanceScale !== 1) {
    throw new RangeError(
      `distillation: a teacher that is a student is guided by itself, so leave guidanceScale out (got ${guidanceScale})`,
    )
  }
}

/** Throws unless a student has all that its teacher has, in the same sizes. */
function checkSize(student: Network, teacher: Network): void {
  for (const [name, { shape }] of Object.entries(teacher.parameters)) {
    const own = student.parameters[name]?.shape
    if (own !== undefined && sameShape(own, shape)) continue
    const came = own === undefined ? 'nothing' : formatShape(own)
    throw new RangeError(
      `distillation: the student must be of the teacher's size, with ${name} as ${formatShape(shape)} (got ${came})`,
    )
  }
  for (const name of ['inputShape', 'outputsPerChannel'] as const) {
    if (String(student[name]) === String(teacher[name])) continue
    throw new RangeError(
      `distillation: the student must have ${name} ${String(teacher[name])}, as its teacher has (got ${String(student[name])})`,
    )
  }
}

/** The networks of a step, told what its batch says. */
type PredictorsOf = (of: {
  readonly params: Params
  readonly teacher: Params
  readonly batch: TrainBatch
  readonly at: Place
}) => { readonly student: PredictAt; readonly teacher: PredictAt }

function predictorsBy(student: Network, teacher: Network, scale: number): PredictorsOf {
  if (!Number.isFinite(scale)) throw new RangeError(`distillation: guidanceScale must be finite (got ${scale})`)
  const range = student.classes?.guidanceRange
  if (range !== undefined && scale !== 1) {
    throw new RangeError(
      `distillation: the student takes the scale as an input, so leave guidanceScale out (got ${scale})`,
    )
  }
  const isGuided = scale !== 1 || (range !== undefined && teacher.classes?.guidanceRange === undefined)
  const none = isGuided ? nullOf(teacher, range === undefined ? `guidanceScale ${scale}` : 'guidanceRange') : null
  return ({ params, teacher: weights, batch, at }) => {
    const { count } = batch
    const scales = range === undefined ? new Float32Array(count).fill(scale) : drawScales(range, count, at)
    const told = ({ classes, ...of }: Network) =>
      classes?.guidanceRange === undefined
        ? of.conditions(batch, null)
        : classes.conditions(batch.arrays.labels.data as Int32Array, scales)
    const predicting =
      (of: Network, own: Params, conditions: unknown, recompute: Place['recompute']): PredictAt =>
      (xt, timesteps) =>
        of.forward(own, { xt, timesteps, conditions }, { recompute })
    const asked = predicting(teacher, weights, told(teacher), 'none')
    return {
      student: predicting(student, params, told(student), at.recompute),
      teacher: none === null ? asked : guide(asked, predicting(teacher, weights, none(count), 'none'), teacher, scales),
    }
  }
}

/** What a network is told where it is told no class. */
function nullOf(network: Network, what: string): (count: number) => unknown {
  const classes: ClassConditions | undefined = network.classes
  const nullLabel = classes?.nullLabel ?? null
  if (classes !== undefined && nullLabel !== null)
    return (count) => classes.conditions(new Int32Array(count).fill(nullLabel))
  throw new RangeError(
    `distillation: ${what} needs a teacher with a label for no class (a DiT: trained with classDropout above 0); leave it out`,
  )
}

/**
 * output = uncond + scale (cond - uncond) on the channels of x0, cond for a variance.
 *
 * Ho and Salimans 2022, "Classifier-Free Diffusion Guidance", eq. 6, with scale = 1 + w.
 */
function guide(asked: PredictAt, unasked: PredictAt, { outputsPerChannel }: Network, scales: Float32Array): PredictAt {
  return (xt, timesteps) => {
    const [cond, uncond] = [asked, unasked].map((predict) => predict(xt, timesteps))
    const column = tensor(scales, [scales.length, 1, 1, 1], { backend: xt.backend, dtype: xt.dtype })
    const mix = (a: Tensor, b: Tensor) => add(b, mul(sub(a, b), column))
    if (outputsPerChannel === 1) return mix(cond, uncond)
    const [, channels] = xt.shape
    const [first, rest] = [0, channels].map((from) => slice(cond, 1, from, channels))
    return concat([mix(first, slice(uncond, 1, 0, channels)), rest], 1)
  }
}
