export type { ScalingConfig } from './config.js'
export { memoryBytes, type MemoryEstimate, type MemoryOptions } from './memory.js'
export { countMultiplyAdds, type MultiplyAddCount } from './multiply-adds.js'
export { countParameters, type ParameterCount } from './parameters.js'
