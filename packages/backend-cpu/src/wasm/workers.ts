import type * as workerThreads from 'node:worker_threads'
import { builtin } from '../platform.js'

export interface WorkerOptions {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  /** Where the stack of each worker begins (it grows down); one worker for each. */
  readonly stacks: readonly number[]
  /** Called when a worker ends that was not told to. */
  readonly onLost: (reason: string) => void
}

/** What a worker is sent once. */
interface Assignment {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly stack: number
  readonly thread: number
}

/**
 * A worker's whole program. It travels as text, so that no bundler has to find a file: in Node it is evaluated, in a page
 * it becomes a Blob. `work` sleeps in the shared memory and returns when the engine stops.
 */
const PROGRAM = `({ module, memory, stack, thread }, reply) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  exports.__stack_pointer.value = stack
  reply('ready')
  exports.work(thread)
}`

/**
 * Starts one worker for each stack and waits until all of them answer.
 *
 * @returns a function that ends them
 */
export async function startWorkers(options: WorkerOptions): Promise<() => Promise<void>> {
  const threads = builtin('node:worker_threads')
  const start = threads === undefined ? startInPage : startInNode(threads)
  const ends = await Promise.all(
    options.stacks.map((stack, i) =>
      start({ module: options.module, memory: options.memory, stack, thread: i + 1 }, options.onLost),
    ),
  )
  return async () => {
    await Promise.all(ends.map((end) => end()))
  }
}

type Start = (assignment: Assignment, onLost: (reason: string) => void) => Promise<() => Promise<void>>

function startInNode({ Worker }: typeof workerThreads): Start {
  const source =
    `const { parentPort } = require('node:worker_threads');` +
    `parentPort.once('message', (data) => (${PROGRAM})(data, (text) => parentPort.postMessage(text)))`
  return (assignment, onLost) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(source, { eval: true, execArgv: [], env: {} })
      let isEnding = false
      const lose = (reason: string) => {
        if (!isEnding) onLost(reason)
        reject(new Error(`cpu-wasm: a thread ended (${reason})`))
      }
      worker.once('error', (error: unknown) => lose(String(error)))
      worker.once('exit', (code) => lose(`exit code ${code}`))
      worker.once('message', () => {
        // A process may end while its workers sleep.
        worker.unref()
        resolve(async () => {
          isEnding = true
          await worker.terminate()
        })
      })
      worker.postMessage(assignment, [])
    })
}

const startInPage: Start = (assignment, onLost) =>
  new Promise((resolve, reject) => {
    const source = `onmessage = ({ data }) => (${PROGRAM})(data, (text) => postMessage(text))`
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
    const worker = new Worker(url)
    worker.addEventListener('error', ({ message }) => {
      onLost(message)
      reject(new Error(`cpu-wasm: a thread did not start (${message})`))
    })
    worker.addEventListener('message', () => {
      URL.revokeObjectURL(url)
      resolve(async () => worker.terminate())
    })
    worker.postMessage(assignment, [])
  })
