import type { CpuDescription, Engine } from '../engine.js'
import { createHeap } from '../heap.js'
import { bestWasmSet, loadModule, supportsWasmSet } from './instruction-set.js'
import { startWorkers } from './workers.js'

/** Seconds without progress after which a thread counts as lost. */
const PATIENCE = 30

const PAGE_BYTES = 65_536
// All that 32-bit addresses reach, but for the last page, so that the end of every block is an address.
const MAX_PAGES = 65_535
const STACK_BYTES = 65_536
const LANES = 4

/** What csrc/wasm.c exports besides one function for each kernel. */
interface Exports {
  heap_start(): number
  arguments(): number
  workspace_bytes(threads: number): number
  start(workspace: number, threads: number, patience: number): void
  stop(): void
}

/**
 * Kernels in WebAssembly, on `threads` threads.
 *
 * @throws RangeError when the instruction set is not here
 */
export async function wasmEngine(threads: number, set = bestWasmSet()): Promise<Engine> {
  const name = 'cpu-wasm'
  const isShared = threads > 1
  if (!supportsWasmSet(set)) {
    throw new RangeError(`cpu: WebAssembly has no ${set} here; simd128 runs anywhere`)
  }
  const { deflated } = await loadModule(set, isShared)
  const module = await WebAssembly.compile(await inflate(deflated))
  // Enough for the module's own data; the heap grows from there. Shared memory must name its limit, 4 GiB.
  const memory = new WebAssembly.Memory({ initial: 4, ...(isShared ? { maximum: MAX_PAGES + 1, shared: true } : {}) })
  const instance = await WebAssembly.instantiate(module, { env: { memory } })
  const exports = instance.exports as unknown as Exports
  const kernels = instance.exports as unknown as Readonly<Record<string, () => number>>

  const heap = createHeap(exports.heap_start(), memory.buffer.byteLength, (byteLength) => grow(memory, byteLength))
  let usedBytes = 0
  const allocate = (byteLength: number) => {
    const address = heap.allocate(byteLength)
    if (address === null) throw outOfMemory(name, byteLength, usedBytes)
    usedBytes += byteLength
    return address
  }
  exports.start(allocate(exports.workspace_bytes(threads)), threads, PATIENCE)

  let failure: Error | null = null
  const stopWorkers = await startWorkers({
    module,
    memory,
    stacks: Array.from({ length: threads - 1 }, () => allocate(STACK_BYTES) + STACK_BYTES),
    onLost: (reason) => (failure ??= new Error(`${name}: a thread ended (${reason}); make a new backend`)),
  })

  let parameters = new Float64Array(memory.buffer, exports.arguments(), 64)
  const description: CpuDescription = {
    engine: 'wasm',
    simd: LANES,
    threads,
    instructionSet: set,
    precision: 'f32',
    multiply: null,
  }
  return {
    name,
    description,
    maxBufferBytes: 2 ** 31,
    allocate,
    free(address, byteLength) {
      heap.free(address, byteLength)
      usedBytes -= byteLength
    },
    write(address, data) {
      if (data instanceof Int32Array) new Int32Array(memory.buffer, address, data.length).set(data)
      else new Float32Array(memory.buffer, address, data.length).set(data)
    },
    read(address, into) {
      if (into instanceof Int32Array) into.set(new Int32Array(memory.buffer, address, into.length))
      else into.set(new Float32Array(memory.buffer, address, into.length))
    },
    call(kernel, ...values) {
      if (failure !== null) throw failure
      // Growing the memory detaches its old buffer.
      if (parameters.length === 0) parameters = new Float64Array(memory.buffer, exports.arguments(), 64)
      parameters.set(values)
      if (kernels[kernel]() !== 0) {
        failure ??= new Error(`${name}: a thread did not answer within ${PATIENCE} seconds; make a new backend`)
        throw failure
      }
    },
    async dispose() {
      failure = new Error(`${name}: the backend was disposed of`)
      exports.stop()
      await stopWorkers()
    },
  }
}

/** Lengthens a memory by at least so many bytes, and by an eighth while there is room, so that it happens rarely. */
function grow(memory: WebAssembly.Memory, byteLength: number): number | null {
  const pages = memory.buffer.byteLength / PAGE_BYTES
  const needed = Math.ceil(byteLength / PAGE_BYTES)
  if (pages + needed > MAX_PAGES) return null
  const wanted = Math.min(Math.max(needed, pages >> 3), MAX_PAGES - pages)
  for (const step of [wanted, needed]) {
    try {
      memory.grow(step)
      return memory.buffer.byteLength
    } catch {
      // The system refused; try the smaller step.
    }
  }
  return null
}

function outOfMemory(name: string, byteLength: number, usedBytes: number): RangeError {
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
  return new RangeError(
    `${name}: WebAssembly reaches 4096 MiB; asked for ${mebibytes(byteLength)} MiB with ${mebibytes(usedBytes)} MiB in use; ` +
      `make the batch smaller, or recompute instead of store`,
  )
}

/** The bytes of a module that is stored deflated (zlib) and in base64. */
async function inflate(deflated: string): Promise<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(deflated), (character) => character.charCodeAt(0))
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'))).arrayBuffer()
}
