import { formatShape, isFloat, sameShape, tensor, type Tensor } from '@dit/tensor'

/**
 * One table entry per sample, as a factor for `x`. The tables are float64: form what a formula multiplies with on the
 * host, and let it be rounded only here.
 *
 * @param table      an entry for every timestep, such as `diffusion.tables.alphaBar` or one worked out from it
 * @param timesteps  `[B]`, indices into the table; not checked
 * @param x          `[B, ...]`: gives the number of axes, backend and dtype
 * @returns `[B, 1, ...]`, which broadcasts against `x`; the caller disposes of it
 *
 * @example
 * const signal = mul(perSample(diffusion.tables.sqrtAlphaBar, timesteps, x0), x0)
 */
export function perSample(table: ArrayLike<number>, timesteps: Int32Array, x: Tensor): Tensor {
  const values = Float64Array.from(timesteps, (timestep) => table[timestep])
  return tensor(values, [timesteps.length, ...x.shape.slice(1).map(() => 1)], { backend: x.backend, dtype: x.dtype })
}

/** Throws unless every timestep is an index of this process. */
export function checkTimesteps(
  caller: string,
  { numTimesteps }: { numTimesteps: number },
  timesteps: Int32Array,
): void {
  if (!(timesteps instanceof Int32Array)) {
    throw new TypeError(`${caller}: timesteps must be an Int32Array (got ${typeof timesteps})`)
  }
  for (const timestep of timesteps) {
    if (timestep < 0 || timestep >= numTimesteps) {
      throw new RangeError(`${caller}: timesteps must be in 0 .. ${numTimesteps - 1} (got ${timestep})`)
    }
  }
}

/** Throws unless the tensors are float batches of one shape `[B, C, ...]`, with one timestep in range per sample. */
export function checkBatch(
  caller: string,
  diffusion: { numTimesteps: number },
  timesteps: Int32Array,
  tensors: Readonly<Record<string, Tensor>>,
): void {
  const [[firstName, first], ...others] = Object.entries(tensors)
  if (first.shape.length < 2) {
    throw new RangeError(`${caller}: ${firstName} must be [B, C, ...] (got ${formatShape(first.shape)})`)
  }
  for (const [name, { shape }] of others) {
    if (!sameShape(shape, first.shape)) {
      throw new RangeError(
        `${caller}: ${name} must have the shape of ${firstName} (got ${formatShape(shape)} and ${formatShape(first.shape)})`,
      )
    }
  }
  for (const [name, { dtype }] of Object.entries(tensors)) {
    if (!isFloat(dtype)) throw new TypeError(`${caller}: ${name} must be a float tensor (got ${dtype})`)
  }
  checkTimesteps(caller, diffusion, timesteps)
  if (timesteps.length !== first.shape[0]) {
    throw new RangeError(
      `${caller}: there must be one timestep per sample (got ${timesteps.length} for ${firstName} ${formatShape(first.shape)})`,
    )
  }
}
