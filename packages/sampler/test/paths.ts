import { denoiser } from '@dit/diffusion'
import { lastStep, type SamplerStep } from '@dit/sampler'
import { type NoiseLevel, type Path, pathThrough, preservingLevel, straightLevel } from '@dit/schedules'
import { affine, type Tensor } from '@dit/tensor'
import { float, numbers } from '../../diffusion/test/tensors.js'

export type Solver = (
  path: Path,
  denoise: ReturnType<typeof normal>,
  xT: Tensor,
) => AsyncGenerator<SamplerStep, void, void>

/** The exact estimates for normal data of this variance: x0 = alpha variance / (alpha^2 variance + sigma^2) xt. */
const VARIANCE = 0.25
export const normal = () =>
  denoiser((xt, [place]) => affine(xt, shareOf(place)), {
    prediction: 'x0',
  })

// The network is told where on the path it is: t for the straight one, log(sigma / alpha) for the others.
let levelOfPlace: (place: number) => NoiseLevel = () => straightLevel(0.5, 0.5)
const shareOf = (place: number) => {
  const { alpha, sigma } = levelOfPlace(place)
  return (alpha * VARIANCE) / (alpha ** 2 * VARIANCE + sigma ** 2)
}
export const deviation = ({ alpha, sigma }: NoiseLevel) => Math.sqrt(alpha ** 2 * VARIANCE + sigma ** 2)

export const preserving = (place: number) => preservingLevel(Math.exp(place), place)
export const exploding = (place: number): NoiseLevel => ({ alpha: 1, sigma: Math.exp(place), timestep: place })
export const straight = (place: number) => straightLevel(place, place)

/** From sigma / alpha 5 down to 0.2, or along the straight path from 0.9 to 0.1. */
export function pathOf(kind: 'preserving' | 'exploding' | 'straight', numSteps: number): Path {
  levelOfPlace = { preserving, exploding, straight }[kind]
  const [first, last] = kind === 'straight' ? [0.9, 0.1] : [Math.log(5), Math.log(0.2)]
  // Uneven on purpose: equal steps hide mistakes in multistep weights.
  const places = Array.from({ length: numSteps + 1 }, (_, i) => {
    const u = i / numSteps
    return first + (last - first) * (u + 0.3 * u * (1 - u))
  })
  const at = (t: number) => ({ ...levelOfPlace(t), t })
  return pathThrough(
    places.map((place) => (kind === 'straight' ? levelOfPlace(place) : { ...levelOfPlace(place), t: place })),
    { at },
  )
}

/** Measured from 1 to -1 in log(sigma / alpha), in equal steps. */
export function equalPath(numSteps: number): Path {
  levelOfPlace = preserving
  const at = (t: number) => ({ ...preserving(t), t })
  return pathThrough(
    Array.from({ length: numSteps + 1 }, (_, i) => at(1 - (2 * i) / numSteps)),
    { at },
  )
}

/** How far a solver ends from the exact solution of the ODE, which multiplies xt by the ratio of the deviations. */
export async function errorAlong(solver: Solver, path: Path): Promise<number> {
  const [got] = await numbers(await lastStep(solver(path, normal(), float([1]))))
  return Math.abs(got - deviation(path.steps.at(-1)!.to) / deviation(path.steps[0].from))
}
