export { betaSigmas } from './beta-sigmas.js'
export { betasFromAlphaBar } from './betas-from-alpha-bar.js'
export { type DdimSteps, ddimSteps, type DdimStepsOptions } from './ddim-steps.js'
export { type DiffusionTables, diffusionTables } from './diffusion-tables.js'
export { directBetas, type DirectBetasOptions, type DirectSchedule } from './direct-betas.js'
export { dpmSteps, type DpmStepsOptions, type SigmaSteps } from './dpm-steps.js'
export {
  dynamicShift,
  type DynamicShiftOptions,
  dynamicShiftSigma,
  shiftSigma,
  stretchToTerminal,
} from './flow-sigmas.js'
export { edmLevel, type EdmScales, edmScales, explodingLevel, preservingLevel, straightLevel } from './level-kinds.js'
export {
  emptyLossHistory,
  type LossHistory,
  type LossHistoryOptions,
  lossHistoryWeights,
  updateLossHistory,
} from './loss-history.js'
export { namedBetas, type NamedSchedule } from './named-betas.js'
export { levelAtSnr, type LevelAtSnrOptions, type NoiseLevel } from './noise-level.js'
export { partOfPath, type Path, type PathStep, pathThrough } from './path.js'
export { respace, type RespacedDiffusion } from './respace.js'
export { drawTimesteps, type SampledTimesteps, sampleTimesteps, uniformWeights } from './sample-timesteps.js'
export { exponentialSigmas, karrasSigmas, type SigmaRange } from './sigma-spacing.js'
export { sigmaAt, sigmaTable, sigmaTableOfFloat32, timestepAt } from './sigma-table.js'
export { logSnr, snr } from './snr.js'
export { type Respacing, spaceTimesteps } from './space-timesteps.js'
export { timestepFeatures } from './timestep-features.js'
export {
  ddimTimesteps,
  dpmTimesteps,
  sigmaTimesteps,
  type SpacingOptions,
  type TimestepSpacing,
} from './timestep-spacing.js'
export { zeroTerminalSnr } from './zero-terminal-snr.js'
