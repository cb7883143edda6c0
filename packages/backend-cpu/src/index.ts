export { cpu, type CpuOptions } from './cpu.js'
export { type CpuDescription, describeCpu } from './describe.js'
