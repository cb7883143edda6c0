// Node has no such globals, and pages agree on the numbers (https://www.w3.org/TR/webgpu/#namespacedef-gpubufferusage).

export const USAGE = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
} as const

export const MAP_READ = 0x1

/** GPUShaderStage.COMPUTE */
export const COMPUTE = 0x4

/** Every parameter block of a dispatch starts at a multiple of this: the largest alignment that a device may ask for. */
export const UNIFORM_BYTES = 256

/** Bindings begin at multiples of this, which is also the alignment of views in flat segments. */
export const STORAGE_ALIGNMENT = 256
