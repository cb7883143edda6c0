export type { CpuOptions, InstructionSet } from './choose-engine.js'
export { cpu } from './cpu.js'
export { type CpuDescription, describeCpu } from './describe.js'
