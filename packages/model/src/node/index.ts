export { locateWeights, openWeights } from './open-weights.js'
export type { OpenWeights, OpenWeightsOptions, WeightsPlace } from '../open-weights-in.js'
