import type { EngineData } from '../engine.js'
import { builtin } from '../platform.js'

/** What csrc/native.c exports. */
export interface Addon {
  readonly kernels: readonly string[]
  supports(set: string, products: Products): boolean
  /** Whether the instruction for `pairs` is faster here than what `widened` does. */
  prefersPairs(): boolean
  create(set: string, products: Products, threads: number, patience: number, reservedBytes: number): NativeHandle | null
  threads(native: NativeHandle): number
  base(native: NativeHandle): number
  commit(native: NativeHandle, from: number, to: number): boolean
  write(address: number, data: EngineData): void
  read(address: number, into: EngineData): void
  run(native: NativeHandle, kernel: number, ...parameters: readonly number[]): number
  destroy(native: NativeHandle): void
}

/** How products are computed: in float32, or in bf16 in one of two ways of the same bits (csrc/bf16.h). */
export type Products = 'f32' | 'pairs' | 'widened'

/** Opaque. */
export type NativeHandle = object

/** The addon for this platform, or the reason why there is none. */
export function loadAddon(): Addon | string {
  const { process } = globalThis
  const modules = builtin('node:module')
  if (modules === undefined) return 'a page has no addons'
  const platform = `${process.platform}-${process.arch}`
  try {
    const require = modules.createRequire(import.meta.url)
    return require(`../../dist/prebuilds/${platform}/dit-cpu.node`) as Addon
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'MODULE_NOT_FOUND') return `there is no build for ${platform}`
    return error instanceof Error ? error.message : String(error)
  }
}
