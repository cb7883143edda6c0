import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { processMemory, resetPeak } from './memory.js'
import { openEngine, type OpenEngine } from './open-engine.js'
import type { Answers, Question } from './protocol.js'
import type { Workload } from './workload.js'

// The process of one engine and one case: reads questions, writes answers, ends with its input.

let engine: OpenEngine | null = null
let workload: Workload | null = null

async function answer(question: Question): Promise<Answers[Question['ask']]> {
  switch (question.ask) {
    case 'open': {
      engine = await openEngine(question.engine, question.threads)
      const { description, threads } = engine
      return { description, threads, idleBytes: processMemory().residentBytes }
    }
    case 'load':
      workload = await engine!.workload(question.spec, question.files)
      return { stateBytes: workload.stateBytes }
    case 'verify':
      return { values: await workload!.verify() }
    case 'settle':
      return { isPeakReset: resetPeak() }
    case 'run': {
      const cpu = process.cpuUsage()
      const start = performance.now()
      await workload!.run()
      const ms = performance.now() - start
      const { user, system } = process.cpuUsage(cpu)
      return { ms, cpuMs: (user + system) / 1000 }
    }
    case 'memory':
      return { peakBytes: processMemory().peakBytes, backendPeakBytes: engine!.countPeakBytes() }
    default:
      throw new RangeError(`worker: unknown question (got ${JSON.stringify(question)})`)
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply: unknown
  try {
    reply = await answer(JSON.parse(line) as Question)
  } catch (error) {
    reply = { error: error instanceof Error ? error.message : String(error) }
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`)
}
process.exit(0) // threads of an engine would keep it alive
