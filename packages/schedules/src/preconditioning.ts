/** Factors that make a network's task about the same at every noise level. */
export interface PreconditionFactors {
  /** Of the noisy sample in the result. */
  readonly skip: number
  /** Of the network's output in the result. */
  readonly out: number
  /** Of the noisy sample before the network sees it. */
  readonly in: number
  /** What the network is told. */
  readonly noise: number
}

/**
 * Factors at a noise level sigma, for samples x = x0 + sigma noise:
 *
 *   D(x, sigma) = skip x + out F(in x, noise)
 *
 * Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", eq. 7.
 */
export type Preconditioning = (sigma: number) => PreconditionFactors

/**
 * EDM's own factors: inputs and targets of unit variance, errors of the network amplified as little as possible.
 *
 *   skip = sigmaData^2 / (sigma^2 + sigmaData^2)     out = sigma sigmaData / sqrt(sigma^2 + sigmaData^2)
 *   in = 1 / sqrt(sigma^2 + sigmaData^2)             noise = log(sigma) / 4
 *
 * @param sigmaData standard deviation of the data
 * @throws RangeError where it is not positive
 *
 * Karras et al. 2022, table 1.
 */
export function edmPreconditioning(sigmaData = 0.5): Preconditioning {
  mustBePositive('edmPreconditioning', { sigmaData })
  return (sigma) => {
    const variance = sigma * sigma + sigmaData * sigmaData
    const root = Math.sqrt(variance)
    return {
      skip: (sigmaData * sigmaData) / variance,
      out: (sigma * sigmaData) / root,
      in: 1 / root,
      noise: Math.log(sigma) / 4,
    }
  }
}

/** Numbers of the variance-preserving process in continuous time. */
export interface VpOptions {
  /** Slope of beta(t) (default 19.9). */
  readonly betaD?: number
  /** beta(0) (default 0.1). */
  readonly betaMin?: number
}

/**
 * Factors of networks that predict the noise of a variance-preserving process (DDPM++), told (numTimesteps - 1) t.
 *
 *   skip = 1     out = -sigma     in = 1 / sqrt(sigma^2 + 1)     noise = (numTimesteps - 1) vpSigmaToT(sigma)
 *
 * Karras et al. 2022, table 1, from Song et al. 2021, "Score-Based Generative Modeling".
 */
export function vpPreconditioning({
  numTimesteps = 1000,
  ...vp
}: VpOptions & { readonly numTimesteps?: number } = {}): Preconditioning {
  mustBePositive('vpPreconditioning', { numTimesteps, ...vp })
  return (sigma) => ({
    skip: 1,
    out: -sigma,
    in: 1 / Math.sqrt(sigma * sigma + 1),
    noise: (numTimesteps - 1) * vpSigmaToT(sigma, vp),
  })
}

/**
 * Factors of networks that predict the negative noise of a variance-exploding process (NCSN++).
 *
 *   skip = 1     out = sigma     in = 1     noise = log(sigma / 2)
 *
 * Karras et al. 2022, table 1.
 */
export function vePreconditioning(): Preconditioning {
  return (sigma) => ({ skip: 1, out: sigma, in: 1, noise: Math.log(0.5 * sigma) })
}

/** Options of `iddpmPreconditioning`. */
export interface IddpmOptions {
  /** Whole timesteps that the network knows (default 1000). */
  readonly numTimesteps?: number
  /** Least quotient of neighbouring alphaBar, which caps beta at 1 - c1 (default 0.001). */
  readonly c1?: number
  /** Offset of the cosine (default 0.008). */
  readonly c2?: number
}

/**
 * Factors of networks that predict the noise at whole timesteps of a cosine schedule (iDDPM, ADM), and the noise levels that
 * they know. They are told the timestep of the nearest of them.
 *
 *   skip = 1     out = -sigma     in = 1 / sqrt(sigma^2 + 1)     noise = numTimesteps - 1 - nearest(sigma)
 *
 * Of these networks the first C output channels are F.
 *
 * @returns `sigmas` `[numTimesteps + 1]`, falling to 0, and `nearest`, the index of the one nearest to sigma
 *
 * Karras et al. 2022, table 1 and appendix C.3, from Nichol and Dhariwal 2021.
 */
export function iddpmPreconditioning({ numTimesteps = 1000, c1 = 0.001, c2 = 0.008 }: IddpmOptions = {}): {
  readonly preconditioning: Preconditioning
  readonly sigmas: Float64Array
  readonly nearest: (sigma: number) => number
} {
  mustBePositive('iddpmPreconditioning', { numTimesteps, c1, c2 })
  const alphaBar = (j: number) => Math.sin((0.5 * Math.PI * j) / numTimesteps / (c2 + 1)) ** 2
  const sigmas = new Float64Array(numTimesteps + 1)
  for (let j = numTimesteps; j > 0; j--) {
    const quotient = Math.max(c1, alphaBar(j - 1) / alphaBar(j))
    sigmas[j - 1] = Math.sqrt((sigmas[j] ** 2 + 1) / quotient - 1)
  }
  const nearest = (sigma: number) => {
    let best = 0
    for (let j = 1; j < sigmas.length; j++) if (Math.abs(sigmas[j] - sigma) < Math.abs(sigmas[best] - sigma)) best = j
    return best
  }
  return {
    preconditioning: (sigma) => ({
      skip: 1,
      out: -sigma,
      in: 1 / Math.sqrt(sigma * sigma + 1),
      noise: numTimesteps - 1 - nearest(sigma),
    }),
    sigmas,
    nearest,
  }
}

/**
 * Noise level of the variance-preserving process at time t.
 *
 *   sigma = sqrt(exp(betaD t^2 / 2 + betaMin t) - 1)
 */
export function vpTToSigma(t: number, { betaD = 19.9, betaMin = 0.1 }: VpOptions = {}): number {
  return Math.sqrt(Math.expm1(0.5 * betaD * t * t + betaMin * t))
}

/**
 * Time of the variance-preserving process at which the noise level is sigma: the inverse of `vpTToSigma`.
 *
 *   t = (sqrt(betaMin^2 + 2 betaD log(1 + sigma^2)) - betaMin) / betaD
 */
export function vpSigmaToT(sigma: number, { betaD = 19.9, betaMin = 0.1 }: VpOptions = {}): number {
  return (Math.sqrt(betaMin * betaMin + 2 * betaD * Math.log1p(sigma * sigma)) - betaMin) / betaD
}

/** Throws unless all given numbers are finite and above 0. */
export function mustBePositive(caller: string, values: Readonly<Record<string, number | undefined>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || (Number.isFinite(value) && value > 0)) continue
    throw new RangeError(`${caller}: ${name} must be a positive number (got ${value})`)
  }
}
