import { adapterNames, adapterShapes, composeAdapters, isAdapterName, type LowRank } from '@dit/model'
import { normals, randomStream } from '@dit/random'
import { type Backend, dispose, type Params, reshape, scope, stopGradient, tensor, zeros } from '@dit/tensor'
import { checkShapes } from './check-shapes.js'
import { checkNetwork, type Network } from './network.js'
import type { ParameterTable } from './objective.js'

/** What a network's `spec` says of its adapters. */
export interface LowRankSpec extends LowRank {
  /** What the adapted weights are, such as their `weightsDigest`; null where nobody said. */
  readonly base: string | null
}

export interface LowRankOptions {
  readonly rank: number
  /** Default: `rank`, so that the product counts as it is. */
  readonly alpha?: number
  /** Regular expression over names: the matrices that are adapted (default: of attention and MLP). */
  readonly match?: string
  /** Regular expression over names: what is trained in full beside them (default: nothing). */
  readonly trained?: string | null
  /** What identifies the base, for `spec`: a run resumes exactly only on an equal one. */
  readonly base?: string | null
}

/** A network whose weights stay, and are adapted. */
export interface LowRankNetwork<Conditions = unknown, Spec extends object = object> extends Network<Conditions> {
  readonly spec: Spec & { readonly lora: LowRankSpec }
  /** Parameters of the whole network, as they were given. */
  readonly base: Params
  /**
   * The whole network's parameters with adapters applied, to evaluate with.
   *
   * @returns `params`, which live until `dispose` is called
   */
  compose(adapters: Params): { readonly params: Params; dispose(): void }
}

/** Weights of attention and MLP of a DiT. */
export const ADAPTED_BY_DEFAULT = '^blocks\\.\\d+\\.(?:attn|mlp)\\.'

/**
 * A network with low-rank adapters, to be trained instead of its weights: W + alpha / rank B A, with A and B for each adapted weight. The
 * product is made anew in every forward pass, so that every engine can do it. B begins as zeros and the network as the base is; A is
 * normal with deviation 1 / sqrt(columns).
 *
 *     train({ objective: denoising(lowRank(dit(config), base, { rank: 8 }), process), ...others })
 *
 * The parameters of the run, and so its checkpoints, are the adapters and what is trained in full.
 *
 * @param base parameters of the network, on the engine that trains: the caller's, and needed as long as the network is
 * @throws RangeError where the base is not the network's, and as `adapterShapes`
 *
 * Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", section 4.1.
 */
export function lowRank<Conditions, Spec extends object>(
  network: Network<Conditions> & { readonly spec: Spec },
  base: Params,
  { rank, alpha = rank, match = ADAPTED_BY_DEFAULT, trained = null, base: identity = null }: LowRankOptions,
): LowRankNetwork<Conditions, Spec> {
  checkNetwork(network)
  checkShapes('lowRank: the base', network.parameters, base)
  const lora: LowRankSpec = { rank, alpha, match, trained, base: identity }
  const shapes = Object.fromEntries(Object.entries(network.parameters).map(([name, { shape }]) => [name, shape]))
  const table = Object.entries(adapterShapes(shapes, lora)).map(
    ([name, shape]) => [name, { shape, isTrainable: network.parameters[name]?.isTrainable ?? true }] as const,
  )
  const compose = (adapters: Params) => composeAdapters(base, adapters, alpha / rank)
  return {
    ...network,
    spec: { ...network.spec, lora },
    base,
    parameters: Object.fromEntries(table),
    init: ({ seed, backend }) => initial(Object.fromEntries(table), base, seed, backend),
    conditions: (batch, at) => network.conditions(batch, at),
    forward: (params, inputs, options) => scope(() => network.forward(compose(params), inputs, options)),
    compose(adapters) {
      const params = stopGradient(() => compose(adapters))
      const made = Object.entries(params).filter(([name]) => adapterNames(name)[0] in adapters)
      return { params, dispose: () => dispose(made.map(([, weight]) => weight)) }
    },
  }
}

function initial(table: ParameterTable, base: Params, seed: number, backend: Backend): Params {
  const values = Object.entries(table).map(([name, { shape }]) => {
    if (!isAdapterName(name)) return [name, reshape(base[name], shape)] as const
    if (name.endsWith('.lora_B.weight')) return [name, zeros(shape, { backend })] as const
    const [rank, columns] = shape
    const draws = normals(randomStream(seed, 'init', name), rank * columns)
    return [
      name,
      tensor(
        draws.map((draw) => draw / Math.sqrt(columns)),
        shape,
        { backend },
      ),
    ] as const
  })
  return Object.fromEntries(values)
}
