import type { View } from '@dit/tensor'
import type { GpuBuffer } from './pool.js'

/** Where a deferred kernel writes a result. */
export interface Target {
  readonly view: View
  /** Adds to what is there instead of replacing it. */
  readonly accumulates: boolean
}

/** Reads `view` and `gate`, and writes `view + gate * result` to `out` beside the result. */
export interface Residual {
  readonly x: View
  readonly gate: View
  readonly out: View
}

/** A kernel that was called and did not run yet, because the next call may be fused with it. */
export interface DeferredKernel {
  /** By which `find` finds it. */
  readonly key?: string
  /** Of a kernel that takes more outputs while it waits: where each begins in its input. */
  readonly starts?: number[]
  readonly inputs: readonly View[]
  readonly outputs: View[]
  /** True where results can be added to memory. */
  readonly canAccumulate: boolean
  /** True where a gated residual can follow; there is one output then. */
  readonly canGate: boolean
  /** Runs it; null for an output that nobody wants any more. */
  run(targets: readonly (Target | null)[], residual: Residual | null): void
}

interface Entry {
  readonly kernel: DeferredKernel
  readonly reads: Set<GpuBuffer>
  readonly writes: Set<GpuBuffer>
  /** By output: what it is to be added to. */
  readonly sums: (View | null)[]
  /** By output: freed, so that nobody can ask for it. */
  readonly isGone: boolean[]
  /** Inputs that were freed meanwhile. */
  readonly zombies: GpuBuffer[]
}

/**
 * A queue of kernels that wait for their next use, which saves dispatches and memory traffic: a gradient that is added to
 * another becomes the last line of the product that makes it, and what is freed unused is never computed.
 *
 * Nobody can tell from results: a kernel runs before anything reads what it writes or writes what it reads.
 */
export interface DeferredQueue {
  defer(kernel: DeferredKernel): void
  /** A waiting kernel of that key that reads exactly `input`. */
  find(key: string, input: View): (DeferredKernel & { readonly starts: number[] }) | null
  /** Adds an output to a waiting kernel. */
  extend(kernel: DeferredKernel, output: View): void
  /** Runs what has to run before a kernel with these operands. */
  settle(inputs: readonly View[], outputs: readonly View[]): void
  settleAll(): void
  /** True where `sum += part` became part of the deferred kernel that makes `part`. */
  accumulate(sum: View, part: View): boolean
  /** True where `out = x + gate * h` was computed together with `h`. */
  gate(residual: Residual, h: View): boolean
  /** Tells that a buffer has been freed; true where its memory is still needed, and `release` is called later. */
  freed(buffer: GpuBuffer): boolean
}

/**
 * @param recycle gives memory back that was freed while a deferred kernel needed it
 * @param add     computes `sum += part` at once
 */
export function createDeferredQueue(
  recycle: (buffer: GpuBuffer) => void,
  add: (sum: View, part: View) => void,
): DeferredQueue {
  let entries: Entry[] = []

  function run(entry: Entry, residual: Residual | null = null): void {
    if (!entries.includes(entry)) return
    entries = entries.filter((other) => other !== entry)
    const { kernel, sums, isGone, zombies } = entry
    const targets = kernel.outputs.map((view, i): Target | null => {
      if (!isGone[i]) return { view, accumulates: false }
      const sum = sums[i]
      return sum === null ? null : { view: sum, accumulates: true }
    })
    if (residual !== null || targets.some((target) => target !== null)) kernel.run(targets, residual)
    for (const [i, part] of kernel.outputs.entries()) {
      // Still alive although it was added to something: both are wanted.
      const sum = sums[i]
      if (!isGone[i] && sum !== null) add(sum, part)
    }
    for (const buffer of zombies) {
      const other = entries.find(({ reads }) => reads.has(buffer))
      if (other === undefined) recycle(buffer)
      else other.zombies.push(buffer)
    }
  }

  const touches = (entry: Entry, inputs: readonly View[], outputs: readonly View[]) =>
    inputs.some((view) => entry.writes.has(bufferOf(view))) ||
    outputs.some((view) => entry.writes.has(bufferOf(view)) || entry.reads.has(bufferOf(view)))

  function settle(inputs: readonly View[], outputs: readonly View[]): void {
    if (entries.length === 0) return
    for (const entry of entries) if (touches(entry, inputs, outputs)) run(entry)
  }

  function findOutput(view: View): { entry: Entry; at: number } | null {
    for (const entry of entries) {
      const at = entry.kernel.outputs.findIndex((output) => isSameRange(output, view))
      if (at >= 0) return { entry, at }
    }
    return null
  }

  return {
    defer(kernel) {
      settle(kernel.inputs, kernel.outputs)
      entries.push({
        kernel,
        reads: new Set(kernel.inputs.map(bufferOf)),
        writes: new Set(kernel.outputs.map(bufferOf)),
        sums: kernel.outputs.map(() => null),
        isGone: kernel.outputs.map(() => false),
        zombies: [],
      })
    },
    find(key, input) {
      for (const { kernel } of entries) {
        const { starts, inputs } = kernel
        if (kernel.key === key && starts !== undefined && isSameRange(inputs[0], input)) return { ...kernel, starts }
      }
      return null
    },
    extend({ outputs }, output) {
      settle([], [output])
      const entry = entries.find(({ kernel }) => kernel.outputs === outputs)!
      outputs.push(output)
      entry.writes.add(bufferOf(output))
      entry.sums.push(null)
      entry.isGone.push(false)
    },
    settle,
    settleAll() {
      while (entries.length > 0) run(entries[0])
    },
    accumulate(sum, part) {
      const found = findOutput(part)
      if (found === null) return false
      const { entry, at } = found
      const target = bufferOf(sum)
      if (!entry.kernel.canAccumulate || entry.sums[at] !== null || entry.reads.has(target)) return false
      if (entry.kernel.outputs.some((view) => bufferOf(view) === target)) return false
      for (const other of entries) if (other !== entry && touches(other, [sum], [sum])) run(other)
      const { buffer, byteOffset, shape, dtype } = sum
      entry.sums[at] = { buffer, byteOffset, shape, dtype } // the tensor may go before its memory
      entry.writes.add(target)
      return true
    },
    gate(residual, h) {
      const found = findOutput(h)
      if (found === null) return false
      const { entry, at } = found
      if (!entry.kernel.canGate || at !== 0 || entry.sums[0] !== null) return false
      const { x, gate, out } = residual
      const own = [x, gate, out].map(bufferOf)
      if (own.some((buffer) => entry.writes.has(buffer)) || entry.reads.has(bufferOf(out))) return false
      for (const other of entries) if (other !== entry && touches(other, [x, gate], [out])) run(other)
      run(entry, residual)
      return true
    },
    freed(buffer) {
      if (entries.length === 0) return false
      for (const entry of entries) if (entry.sums.some((sum) => sum?.buffer === buffer)) run(entry)
      for (const entry of entries) {
        const at = entry.kernel.outputs.findIndex((view) => bufferOf(view) === buffer)
        if (at < 0) continue
        entry.isGone[at] = true
        entry.zombies.push(buffer)
        if (entry.isGone.every(Boolean)) run(entry)
        return true
      }
      const reader = entries.find(({ reads }) => reads.has(buffer))
      reader?.zombies.push(buffer)
      return reader !== undefined
    },
  }
}

export function bufferOf(view: View): GpuBuffer {
  return view.buffer as GpuBuffer
}

/** One and the same memory. */
export function isSameRange(a: View, b: View): boolean {
  if (a === b) return true
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset && sizesAgree(a.shape, b.shape)
}

function sizesAgree(a: readonly number[], b: readonly number[]): boolean {
  const product = (shape: readonly number[]) => shape.reduce((size, extent) => size * extent, 1)
  return product(a) === product(b)
}
