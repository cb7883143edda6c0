import type { Denoise } from '@dit/diffusion'
import type { SamplerStep } from '@dit/sampler'
import type { Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'

/** How samples are solved for: a path, a denoiser, and what leads along it. A part of the path will do. */
export interface Solving {
  readonly path: Path
  readonly denoise: Denoise
  /** By what unit noise is multiplied to begin the whole path. */
  readonly scale: number
  readonly solve: (path: Path, denoise: Denoise, xT: Tensor) => AsyncGenerator<SamplerStep, void, void>
}
