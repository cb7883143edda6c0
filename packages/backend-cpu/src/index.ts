export { cpu, type CpuOptions, type InstructionSet } from './cpu.js'
export { type CpuDescription, describeCpu } from './describe.js'
