export { fromTf, toTf } from './convert.js'
export type { EngineName, WasmPaths } from './engine.js'
export { describeTfjs, tfjs, type TfjsDescription, type TfjsOptions } from './tfjs.js'
