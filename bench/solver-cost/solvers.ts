import type { Denoise } from '@dit/diffusion'
import {
  ancestral,
  ddim,
  deis,
  dormandPrince,
  dpmMultistep,
  dpmSinglestep,
  euler,
  eulerMaruyama,
  heun,
  lms,
  plms,
  pndm,
  renoise,
  rungeKutta,
  type RungeKuttaMethod,
  type SamplerStep,
  stochasticHeun,
  unipc,
} from '@dit/sampler'
import { edmPath, flowPath, type Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'

type Solve = (path: Path, denoise: Denoise, xT: Tensor) => AsyncGenerator<SamplerStep, void, void>

/** A solver over a path, as the bench runs it. */
export interface CostedSolver {
  readonly name: string
  readonly path: Path
  readonly solve: Solve
}

/** Steps of a repetition: several, so that multistep methods have all of their estimates. */
export const STEPS = 20

/** Levels with times, with signal and with noise at both ends, where every solver can go. */
const straight = flowPath({ numSteps: STEPS, from: 0.98, to: 0.02 })
/** Levels with alpha = 1, for solvers that add noise before a step. */
const exploding = edmPath({ numSteps: STEPS })

const seed = 0
const along = (name: string, solve: Solve): CostedSolver => ({ name, path: straight, solve })
const ofKutta = (method: RungeKuttaMethod) =>
  along(`rungeKutta ${method}`, (path, denoise, xT) => rungeKutta(path, denoise, xT, { method }))
const multistep = (order: 1 | 2 | 3, algorithm: 'dpmsolver' | 'dpmsolver++' | 'sde-dpmsolver++') =>
  along(`dpmMultistep ${algorithm} ${order}`, (path, denoise, xT) =>
    dpmMultistep(path, denoise, xT, { order, algorithm, lowerOrderFinal: false, seed }),
  )

/** Every solver over a path that @dit/sampler exports, in the forms that differ in cost. */
export const SOLVERS: readonly CostedSolver[] = [
  along('euler', (path, denoise, xT) => euler(path, denoise, xT)),
  { name: 'euler with churn', path: exploding, solve: (...at) => euler(...at, { churn: 40, seed }) },
  along('ddim', (path, denoise, xT) => ddim(path, denoise, xT)),
  along('ddim with eta 1', (path, denoise, xT) => ddim(path, denoise, xT, { eta: 1, seed })),
  along('ancestral', (path, denoise, xT) => ancestral(path, denoise, xT, { seed })),
  along('renoise', (path, denoise, xT) => renoise(path, denoise, xT, { seed })),
  along('heun', (path, denoise, xT) => heun(path, denoise, xT)),
  { name: 'heun with churn', path: exploding, solve: (...at) => heun(...at, { churn: 40, seed }) },
  multistep(1, 'dpmsolver++'),
  multistep(2, 'dpmsolver++'),
  multistep(3, 'dpmsolver++'),
  multistep(2, 'dpmsolver'),
  multistep(2, 'sde-dpmsolver++'),
  multistep(3, 'sde-dpmsolver++'),
  along('dpmSinglestep 2', (path, denoise, xT) => dpmSinglestep(path, denoise, xT, { order: 2 })),
  along('dpmSinglestep 3', (path, denoise, xT) => dpmSinglestep(path, denoise, xT, { order: 3 })),
  along('unipc 2', (path, denoise, xT) => unipc(path, denoise, xT)),
  along('unipc 3', (path, denoise, xT) => unipc(path, denoise, xT, { order: 3 })),
  along('deis 2', (path, denoise, xT) => deis(path, denoise, xT)),
  along('deis 3', (path, denoise, xT) => deis(path, denoise, xT, { order: 3 })),
  along('lms', (path, denoise, xT) => lms(path, denoise, xT)),
  along('plms', (path, denoise, xT) => plms(path, denoise, xT)),
  along('pndm', (path, denoise, xT) => pndm(path, denoise, xT)),
  ...(['euler', 'midpoint', 'heun2', 'classic4'] as const).map(ofKutta),
  along('dormandPrince', (path, denoise, xT) => dormandPrince(path, denoise, xT)),
  along('eulerMaruyama', (path, denoise, xT) => eulerMaruyama(path, denoise, xT, { form: 'sigma', seed })),
  along('stochasticHeun', (path, denoise, xT) => stochasticHeun(path, denoise, xT, { form: 'sigma', seed })),
]
