import type { Denoise } from '@dit/diffusion'
import {
  ddim,
  deis,
  type DpmOptions,
  dpmMultistep,
  dpmSinglestep,
  euler,
  heun,
  lms,
  type NoiseSource,
  plms,
  type SamplerStep,
  unipc,
} from '@dit/sampler'
import type { Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import type { PathSolverName } from './path-solver-names.js'

type Options = NoiseSource & { readonly signal?: AbortSignal }

type Solver = (path: Path, denoise: Denoise, xT: Tensor, options: Options) => AsyncGenerator<SamplerStep, void, void>

const multistep =
  (order: DpmOptions['order'], algorithm: DpmOptions['algorithm'] = 'dpmsolver++'): Solver =>
  (path, denoise, xT, options) =>
    dpmMultistep(path, denoise, xT, { ...options, order, algorithm })

/** Solvers over the path of a process, by the name of a sampler. */
export const PATH_SOLVERS = {
  euler: (path, denoise, xT, { signal }) => euler(path, denoise, xT, { signal }),
  'euler-a': (path, denoise, xT, options) => ddim(path, denoise, xT, { ...options, eta: 1 }),
  heun,
  'dpmpp-2m': multistep(2),
  'dpmpp-3m': multistep(3),
  'dpmpp-2s': (path, denoise, xT, options) => dpmSinglestep(path, denoise, xT, { ...options, order: 2 }),
  'dpmpp-2m-sde': multistep(2, 'sde-dpmsolver++'),
  'dpmpp-3m-sde': multistep(3, 'sde-dpmsolver++'),
  unipc,
  deis,
  lms,
  plms,
} as const satisfies Readonly<Record<PathSolverName, Solver>>
