export { autoguided, type AutoguidedOptions, autoguidedPredict } from './autoguided.js'
export { ddim, type DdimOptions, ddimStep, type DdimStepOptions } from './ddim.js'
export { ddimOverSteps, type DdimOverStepsOptions } from './ddim-over-steps.js'
export { ddimReverse, ddimReverseStep } from './ddim-reverse.js'
export { ddpm, ddpmStep } from './ddpm.js'
export { diffusersProcess, type DiffusersProcess } from './diffusers-process.js'
export { diffusersSampler, type PipelineSampler, type PipelineSamplerOptions } from './diffusers-sampler.js'
export { dpmSolver, type DpmSolverOptions } from './dpm-solver.js'
export { edmHeun, type EdmHeunOptions } from './edm-heun.js'
export {
  guidanceInterval,
  type GuidanceInterval,
  type GuidanceIntervalOptions,
  guidanceTimesteps,
  type GuidanceRange,
} from './guidance-interval.js'
export { guided, type GuidedOptions, type LabelledModel, type Timesteps } from './guided.js'
export { guidedDoubled, type GuidedDoubledOptions } from './guided-doubled.js'
export { inpainting, type InpaintingOptions } from './inpainting.js'
export { type NoiseSource, startNoise, type StartNoiseOptions, type StepNoise } from './noise.js'
export type { PredictionType } from './predicted-x0.js'
export { rescaleGuided } from './rescale-guided.js'
export { lastStep, type SamplerStep } from './run-steps.js'
export { type PictureStart, startFromPicture, type StartFromPictureOptions } from './start-from-picture.js'
export type { NoisyStep, SamplerOptions, StepOptions, StepResult } from './step-options.js'
export type { AdaptiveOptions } from './ode/adaptive-steps.js'
export { dormandPrince } from './ode/dormand-prince.js'
export { type LogLikelihood, logLikelihood, type LogLikelihoodOptions, type SignDraws } from './ode/log-likelihood.js'
export { rungeKutta, type RungeKuttaOptions } from './ode/runge-kutta.js'
export type { RungeKuttaMethod, Tableau } from './ode/tableau.js'
export { eulerMaruyama } from './sde/euler-maruyama.js'
export type { SdeLastStep, SdeOptions } from './sde/sde-step.js'
export { stochasticHeun } from './sde/stochastic-heun.js'
