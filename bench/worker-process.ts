import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { areWorkersBuilt, builtWorker } from './built-worker.js'
import type { Answers, Failed, Question } from './protocol.js'

/** Thrown for an answer that is an error, and for a worker that died. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError'
}

/** The other end of a worker. */
export interface WorkerProcess {
  ask<Q extends Question>(question: Q): Promise<Answers[Q['ask']]>
  /** Ends it, at once. */
  stop(): void
}

/** Starts a worker of ours: see `areWorkersBuilt`. */
export function startNodeWorker(): WorkerProcess {
  const loader = new URL('../tools/typescript.mjs', import.meta.url)
  const fromSource = [
    ...process.execArgv.filter((option) => option.startsWith('--conditions')),
    '--import',
    loader.href,
    fileURLToPath(new URL('worker.ts', import.meta.url)),
  ]
  return speakTo(spawn(process.execPath, ['--expose-gc', ...(areWorkersBuilt ? [builtWorker] : fromSource)]))
}

/** Starts the worker in Python, with the interpreter that has torch. */
export function startPythonWorker(python: string): WorkerProcess {
  return speakTo(spawn(python, [fileURLToPath(new URL('pytorch.py', import.meta.url))]))
}

function speakTo(child: ChildProcessWithoutNullStreams): WorkerProcess {
  let waiting: { resolve(answer: never): void; reject(error: Error): void } | null = null
  let gone: WorkerError | null = null
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints = (complaints + text).slice(-2000)))
  child.stdin.on('error', () => {}) // its end is told below
  child.on('error', (error) => leave(error.message))
  child.on('close', (code, signal) => leave(`the worker ended (${signal ?? `exit code ${code}`}) ${lastLine()}`))
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return // something that an engine prints
    const answer = JSON.parse(line) as Failed | object
    const asked = waiting
    waiting = null
    if ('error' in answer) asked?.reject(new WorkerError(answer.error))
    else asked?.resolve(answer as never)
  })

  function leave(reason: string): void {
    gone ??= new WorkerError(reason.trim())
    waiting?.reject(gone)
    waiting = null
  }

  function lastLine(): string {
    return complaints.trim().split('\n').at(-1) ?? ''
  }

  return {
    ask: <Q extends Question>(question: Q) =>
      new Promise<Answers[Q['ask']]>((resolve, reject) => {
        if (gone === null) {
          waiting = { resolve, reject }
          child.stdin.write(`${JSON.stringify(question)}\n`)
        } else reject(gone)
      }),
    stop: () => void child.kill('SIGKILL'),
  }
}
