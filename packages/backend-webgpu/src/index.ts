export { compileAhead, type CompileAheadOptions } from './compile-ahead.js'
export { describeWebGpu, type WebGpuDescription } from './describe.js'
export { DeviceLostError, WebGpuUnavailableError } from './errors.js'
export { webgpu, type WebGpuOptions } from './webgpu.js'
