export { type ConformanceCase, type ConformanceOptions } from './case.js'
export { conformanceCases, type ConformanceResult, type ConformanceRunOptions, runConformance } from './run.js'
