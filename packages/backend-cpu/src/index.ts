export { cpu, type CpuOptions } from './cpu.js'
export { type CpuDescription, describeCpu } from './describe.js'
export type { InstructionSet } from './native/addon.js'
