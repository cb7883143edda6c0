/** How much wider the tolerances of a kind of case are on an engine, and why. */
export interface Factor {
  /** The smallest power of two that holds for all cases of the kind, from 1 to 16. */
  readonly factor: number
  /** Largest error over its tolerance that was measured on all cases of both sets, on SwiftShader; 0 where no number comes from the engine. */
  readonly largest: number
  readonly reason: string
}

/**
 * Factors of tolerances, by engine and kind of case. Tolerances were set for float32 on a CPU; an engine that is not here keeps to them, and
 * exact values stay exact everywhere.
 *
 * WebGPU needs no more than a CPU: the functions that WGSL leaves loose are written out (`wgsl/functions.ts` of @dit/backend-webgpu), so that
 * they do not depend on the driver, and schedules and features are float64 on the host. What is left is the order of sums, and a card that
 * fuses products and sums where SwiftShader does not.
 */
export const FACTORS: Readonly<Record<string, Readonly<Record<string, Factor>>>> = {
  webgpu: {
    'dit-forward': { factor: 1, largest: 0.102, reason: 'sums of matrix products in another order, in float32' },
    'dit-init': { factor: 1, largest: 0.031, reason: 'initial values are drawn on the host' },
    embeddings: { factor: 1, largest: 0.031, reason: 'features of timesteps and places are float64 on the host' },
    'diffusion-constants': { factor: 1, largest: 0.106, reason: 'schedules are float64 on the host' },
    respace: { factor: 1, largest: 0.014, reason: 'schedules are float64 on the host' },
    'training-losses': { factor: 1, largest: 0.123, reason: 'exp and log within a few units, sums in another order' },
    optimizer: { factor: 1, largest: 0.153, reason: 'square roots and quotients within a few units, and gradients' },
    sampling: { factor: 1, largest: 0.164, reason: 'errors of the network, which steps towards data do not magnify' },
    'diffusion-steps': { factor: 1, largest: 0.11, reason: 'exp of variances within a few units' },
    'timestep-samplers': { factor: 1, largest: 0.046, reason: 'weights are float64 on the host' },
    checkpoints: { factor: 1, largest: 0.011, reason: 'values are read exactly; a forward pass as in dit-forward' },
    schedulers: {
      factor: 1,
      largest: 0.409,
      reason: 'levels are float64 on the host; written-out sin within a few units',
    },
    'flow-paths': { factor: 1, largest: 0.178, reason: 'coefficients are float64 on the host' },
    'flow-sampling': { factor: 1, largest: 0.251, reason: 'sin, cos and tanh within a few units, over many steps' },
    'training-extras': { factor: 1, largest: 0.25, reason: 'products of Muon in another order; levels on the host' },
    'modern-blocks': {
      factor: 1,
      largest: 0.27,
      reason: 'sums of products and of gradients in another order, in float32',
    },
    'paper-facts': { factor: 1, largest: 0, reason: 'counts, which no engine computes' },
  },
}

/** What the tolerances of a kind of case are multiplied by on an engine. */
export function toleranceFactor(engine: string, kind: string): number {
  return FACTORS[engine]?.[kind]?.factor ?? 1
}
