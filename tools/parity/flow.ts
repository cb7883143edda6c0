import { type FlowMatching, flowMatching, type FlowMatchingOptions, type FlowPredictionType } from '@dit/diffusion'
import type { DiffusionForm, FlowInterval, FlowOptions, Interpolant } from '@dit/schedules'
import { flowInterval } from '@dit/schedules'
import { add, affine, cos, mul, sin, tanh, tensor, type Tensor } from '@dit/tensor'
import type { Config } from './manifest.js'

/** Names of SiT's classes and options, and of ours. */
const interpolants: Record<string, Interpolant> = { Linear: 'linear', GVP: 'gvp', VP: 'vp' }
const predictions: Record<string, FlowPredictionType> = { velocity: 'velocity', score: 'score', noise: 'epsilon' }
const forms: Record<string, DiffusionForm> = {
  constant: 'constant',
  SBDM: 'sbdm',
  sigma: 'sigma',
  linear: 'linear',
  decreasing: 'decreasing',
  'inccreasing-decreasing': 'increasingDecreasing',
  'increasing-decreasing': 'increasingDecreasing',
}

export const interpolantOf = (name: string): Interpolant => known(interpolants, name)
export const predictionOf = (name: string): FlowPredictionType => known(predictions, name)
export const formOf = (name: string): DiffusionForm => known(forms, name)

/** Our flow for a path of SiT, whose time runs from noise to data. */
export function sitFlow(pathType: string): FlowOptions {
  return { interpolant: interpolantOf(pathType), networkTime: 'towardsData' }
}

/** Our process for SiT's arguments of `create_transport`. */
export function transportOf(
  { path_type = 'Linear', prediction = 'velocity', loss_weight = null, train_eps }: Config,
  options: FlowMatchingOptions = {},
): FlowMatching {
  const weighting = { none: 'none', velocity: 'velocity', likelihood: 'likelihood' }[String(loss_weight ?? 'none')]
  const ours = predictionOf(prediction)
  return flowMatching({
    ...sitFlow(path_type),
    prediction: ours,
    // SiT weighs no velocity.
    weighting: ours === 'velocity' ? 'none' : (weighting as FlowMatching['weighting']),
    interval: sitInterval({ path_type, prediction, train_eps }, { use: 'training' }),
    ...options,
  })
}

/** SiT's interval in our time. Velocity on its straight and GVP paths keeps no distance, whatever is asked for. */
export function sitInterval(
  { path_type = 'Linear', prediction = 'velocity', train_eps, sample_eps }: Config,
  options: Omit<Parameters<typeof flowInterval>[0], 'interpolant' | 'prediction' | 'epsilon'>,
): FlowInterval {
  const isFinite = prediction === 'velocity' && path_type !== 'VP'
  const given = options.use === 'training' ? train_eps : sample_eps
  return flowInterval({
    interpolant: interpolantOf(path_type),
    prediction: predictionOf(prediction),
    ...options,
    ...(isFinite ? { epsilon: 0 } : given === undefined || given === null ? {} : { epsilon: given }),
  })
}

/** The function that stands in for a network: 0.8 tanh(x) cos(2 t) - 0.5 x + 0.3 sin(3 t + y), t and y of the sample. */
export function dummyFlow(labels: ArrayLike<number>): (x: Tensor, t: ArrayLike<number>) => Tensor {
  return (x, t) => {
    const { backend, dtype } = x
    const shape = [x.shape[0], ...x.shape.slice(1).map(() => 1)]
    const times = tensor(Float64Array.from(t), shape, { backend, dtype })
    const y = tensor(Float64Array.from(labels), shape, { backend, dtype })
    const wave = affine(sin(add(affine(times, 3), y)), 0.3)
    return add(add(mul(affine(tanh(x), 0.8), cos(affine(times, 2))), affine(x, -0.5)), wave)
  }
}

function known<T>(names: Record<string, T>, name: string): T {
  const found = names[name]
  if (found === undefined) throw new Error(`the runner does not know ${name}`)
  return found
}
