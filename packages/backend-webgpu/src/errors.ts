/**
 * The graphics device is gone: its driver was reset, the machine or the tab slept, or it was destroyed. Tensors on it are
 * lost. Make a new backend with `webgpu()` and go on from the last checkpoint.
 */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError'
}

/** There is no WebGPU here, or no adapter; the message says what to do about it. */
export class WebGpuUnavailableError extends Error {
  override readonly name = 'WebGpuUnavailableError'
}
