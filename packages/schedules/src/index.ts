export { betaSigmas } from './beta-sigmas.js'
export { betasFromAlphaBar } from './betas-from-alpha-bar.js'
export { type DiffusionTables, diffusionTables } from './diffusion-tables.js'
export { directBetas, type DirectBetasOptions, type DirectSchedule } from './direct-betas.js'
export { dynamicShift, type DynamicShiftOptions, dynamicShiftSigma, stretchToTerminal } from './flow-sigmas.js'
export { edmLevel, explodingLevel, preservingLevel, straightLevel } from './level-kinds.js'
export {
  type DiffusionCoefficient,
  diffusionCoefficient,
  type DiffusionForm,
  diffusivity,
} from './flow/diffusion-form.js'
export { checkTimeLaw, drawTimes, type DrawTimesOptions, type TimeLaw } from './flow/draw-times.js'
export { type FlowInterval, flowInterval, type FlowIntervalOptions, type FlowPrediction } from './flow/flow-interval.js'
export { type FlowGridOptions, flowPath, flowTimes } from './flow/flow-path.js'
export {
  type Flow,
  flow,
  flowLevel,
  type FlowOptions,
  type Interpolant,
  snrToT,
  timestepToT,
} from './flow/interpolant.js'
export { shiftTime } from './flow/shift-time.js'
export { FLOW_SPACINGS, type FlowSpacing, spacedFlowTimes } from './flow/spaced-flow-times.js'
export { logitNormalDensity, logitNormalTime, logNormalSigma, modeTime } from './flow/time-laws.js'
export { edmPath, type EdmPathOptions } from './edm-path.js'
export {
  emptyLossHistory,
  type LossHistory,
  type LossHistoryOptions,
  lossHistoryWeights,
  updateLossHistory,
} from './loss-history.js'
export { checkLossWeight, type LossWeight, lossWeightAt, lossWeights, type WeightedPrediction } from './loss-weight.js'
export { namedBetas, type NamedSchedule } from './named-betas.js'
export { levelAtSnr, type LevelAtSnrOptions, type NoiseLevel } from './noise-level.js'
export { partOfPath, type Path, type PathStep, pathThrough, reversedPath } from './path.js'
export {
  edmPreconditioning,
  type IddpmOptions,
  iddpmPreconditioning,
  type PreconditionFactors,
  type Preconditioning,
  type VpOptions,
  vePreconditioning,
  vpPreconditioning,
  vpSigmaToT,
  vpTToSigma,
} from './preconditioning.js'
export { respace, type RespacedDiffusion } from './respace.js'
export { drawTimesteps, type SampledTimesteps, sampleTimesteps, uniformWeights } from './sample-timesteps.js'
export { exponentialSigmas, karrasSigmas, type SigmaRange } from './sigma-spacing.js'
export { sigmaAt, sigmaTable, sigmaTableOfFloat32, timestepAt } from './sigma-table.js'
export { logSnr, snr } from './snr.js'
export { type Respacing, spaceTimesteps } from './space-timesteps.js'
export {
  isSigmaSpacing,
  type SigmaSpacing,
  spacedPath,
  type SpacedPathOptions,
  type Spacing,
  SPACINGS,
  spreadSigmas,
} from './spaced-path.js'
export { timestepFeatures } from './timestep-features.js'
export {
  ddimTimesteps,
  dpmTimesteps,
  sigmaTimesteps,
  type SpacingOptions,
  type TimestepSpacing,
} from './timestep-spacing.js'
export { zeroTerminalSnr } from './zero-terminal-snr.js'
export { type Schedule, scheduleBetas, type ScheduleEnds, SCHEDULES } from './schedule-betas.js'
export {
  edmLossWeight,
  type EdmSigmaOptions,
  edmTrainingSigmas,
  veTrainingSigmas,
  vpTrainingSigmas,
} from './training-sigmas.js'
