import { countedNetwork } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import { reference } from '@dit/tensor'
import type { TrainEvent } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import type { RunConfig } from '../../src/run/run-config.js'
import { createPaceReport, speedText } from '../../src/time/pace-report.js'
import { tinyConfig, tinyModel } from '../support/tiny-run.js'

const START = { type: 'start', step: 0, steps: 2000, resumedFrom: null, notices: [] } as const satisfies TrainEvent
const CHECKPOINT = { type: 'checkpoint', step: 0, path: '', bytes: 0, isBest: false } as const satisfies TrainEvent

function stepEvent(step: number): TrainEvent {
  const record = { step, loss: 1, gradNorm: 1, learningRate: 1, emaDecay: 1, examples: 2 * step }
  return { type: 'step', record, traffic: { bytesSent: 0, bytesReceived: 0, waitSeconds: 0 } } as unknown as TrainEvent
}

/** A report whose every look at the clock is `tick` seconds later than the last. */
function reportOf(changes: Partial<RunConfig>, { tick = 0.25, ...options } = {}) {
  let now = 0
  const engine = { backend: reference(), description: tinyConfig.engine }
  const config = { ...tinyConfig, steps: 2000, ...changes }
  return createPaceReport({ config, engine }, { workers: 1, heldOut: null, clock: () => (now += tick), ...options })
}

test('says how long a run will take, once, when three steps after the first are measured', async () => {
  const report = reportOf({})
  expect(report.speed()).toBe(null)
  const said = []
  for (const event of [START, ...[1, 2, 3, 4, 5].map(stepEvent)]) said.push(await report.saw(event))
  expect(said.map((first) => first !== null)).toEqual([false, false, false, false, true, false])
  const { secondsPerStep, time, peak, lines } = said[4]!
  expect([secondsPerStep, time.seconds]).toEqual([0.25, 500])
  // The fastest product is one of 64 by 64, in a look at the clock.
  expect(peak).toBe((2 * 64 ** 3) / 0.25)
  expect(lines).toEqual([
    'time   about 8.3 min for 2,000 steps: 0.25 s a step, measured over 3 steps',
    'speed  the peak is 2.097 MFLOP/s: the fastest matrix product of this engine',
  ])
  const { examplesPerSecond, share } = report.speed()!
  expect(examplesPerSecond).toBe(8)
  expect(share).toBeCloseTo((2 * countMultiplyAdds(countedNetwork(tinyModel)).trainingFlops) / 0.25 / peak!, 9)
})

test('a resumed run is told of what is left, and checkpoints are no part of a step', async () => {
  const report = reportOf({ sampleEvery: 1000 })
  await report.saw({ ...START, step: 1500 })
  let first = null
  for (const step of [1501, 1502, 1503, 1504]) {
    first ??= await report.saw(stepEvent(step))
    await report.saw(CHECKPOINT)
  }
  // Each step has two looks: its own, and that of the checkpoint before.
  expect(first?.secondsPerStep).toBe(0.25)
  expect(first?.lines[0]).toMatch(/ for the 500 steps that are left, .* of it for 1 grid of samples: /)
})

test('the network of a module has no peak; where nobody looks, and in the last step, nothing is measured', async () => {
  const module = { kind: 'module', module: '/m.mjs', sha256: '', spec: {} } as const
  const events = [START, ...[1, 2, 3, 4].map(stepEvent)]
  const last = async (report: ReturnType<typeof reportOf>) => {
    let first = null
    for (const event of events) first = await report.saw(event)
    return first
  }
  const found = await last(reportOf({ objective: module }))
  expect([found?.peak, found?.lines.length]).toEqual([null, 1])
  expect(await last(reportOf({}, { isShown: false } as never))).toBe(null)
  expect(await last(reportOf({ steps: 4 }))).toBe(null)
})

test('speeds are short', () => {
  expect(speedText({ examplesPerSecond: 268.4, share: 0.372 }, 'pictures')).toBe('268 pictures/s, 37 % of the peak')
  expect(speedText({ examplesPerSecond: 0.1234, share: null }, 'examples')).toBe('0.123 examples/s')
})
