import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { outlineOf } from '../../src/tensorboard/event.js'
import { openEventFile } from '../../src/tensorboard/event-file.js'
import { fieldsOf } from '../../src/tensorboard/protobuf.js'
import { decodeRecords } from '../../src/tensorboard/records.js'
import { runWriter } from '../../src/tensorboard/run-writer.js'
import { runDit, temporaryFolder } from '../support/run-dit.js'
import { makeLoggedRun } from '../support/tiny-run.js'
import { TINY } from '../support/tiny-flags.js'

const eventsIn = (run: string) => readdirSync(join(run, 'tensorboard')).toSorted()

/** Every event of a run's only file: step, names, and seconds. */
function readEvents(run: string) {
  const [name, ...others] = eventsIn(run)
  expect(others).toEqual([])
  const { records, isWhole } = decodeRecords(readFileSync(join(run, 'tensorboard', name)))
  expect(isWhole).toBe(true)
  return records.map((data) => ({ ...outlineOf(data), wallTime: [...fieldsOf(data)][0].value }))
}

/** A small file that begins like a PNG. */
const PNG = new Uint8Array(40)

/** Steps that have scalars, and those that have grids. */
function stepsIn(run: string) {
  const events = readEvents(run).filter(({ tags }) => tags.length > 0)
  const isGrid = ({ tags }: { tags: readonly string[] }) => tags.includes('samples')
  return {
    scalars: events.filter((event) => !isGrid(event)).map(({ step }) => step),
    grids: events.filter(isGrid).map(({ step }) => step),
  }
}

test('a log and grids without events get them, once', async () => {
  const run = temporaryFolder()
  await makeLoggedRun(run, [1, 0.5, 0.25])
  mkdirSync(join(run, 'samples'))
  for (const name of ['step-0000002.png', 'data.png']) writeFileSync(join(run, 'samples', name), PNG)
  await openEventFile(run, 3, () => 100)
  expect(readEvents(run)).toEqual([
    { step: 0, tags: [], wallTime: 100 },
    ...[1, 2].map((step) => ({ step, tags: expect.arrayContaining(['train/loss']) as string[], wallTime: 100 })),
    { step: 2, tags: ['samples'], wallTime: 100 },
    { step: 3, tags: expect.arrayContaining(['train/loss']) as string[], wallTime: 100 },
  ])
  const before = eventsIn(run)
  await openEventFile(run, 3, () => 200)
  expect(eventsIn(run)).toEqual(before)
  expect(stepsIn(run)).toEqual({ scalars: [1, 2, 3], grids: [2] })
})

test('events of steps that will come again are dropped, into a file that sorts behind; the others keep their times', async () => {
  const run = temporaryFolder()
  await makeLoggedRun(run, [1, 0.5, 0.25])
  await openEventFile(run, 3, () => 100)
  writeFileSync(join(run, 'tensorboard', 'events.out.tfevents.1.host'), 'of another program')
  const file = await openEventFile(run, 2, () => 50)
  expect(eventsIn(run)).toEqual(['events.out.tfevents.0000000101.dit', 'events.out.tfevents.1.host'])
  await file.append({ step: 3, scalars: { 'train/loss': 9 } })
  const { records } = decodeRecords(readFileSync(file.path))
  const events = records.map((data) => [outlineOf(data).step, [...fieldsOf(data)][0].value])
  expect(events).toEqual([
    [0, 50],
    [1, 100],
    [2, 100],
    [3, 50],
  ])
})

test('what a crash has cut short is made whole again', async () => {
  const run = temporaryFolder()
  await makeLoggedRun(run, [1, 0.5, 0.25])
  const { path } = await openEventFile(run, 3, () => 100)
  appendFileSync(path, new Uint8Array(7))
  await openEventFile(run, 3, () => 101)
  expect(stepsIn(run).scalars).toEqual([1, 2, 3])
})

test('a run that fails before its first event leaves no folder, and an error is told once', async () => {
  const run = temporaryFolder()
  const errors: unknown[] = []
  const writer = runWriter(run, (error) => errors.push(error))
  writer.begin(0)
  expect(existsSync(join(run, 'tensorboard'))).toBe(false)
  writeFileSync(join(run, 'tensorboard'), 'in the way')
  const record = { step: 1, loss: 1, gradNorm: 1, learningRate: 1, emaDecay: 1, examples: 1 }
  await writer.step(record)
  await writer.step(record)
  await writer.end()
  expect(errors).toHaveLength(1)
})

test('a run writes its events beside its log, and goes on when it is resumed', async () => {
  const out = join(temporaryFolder(), 'run')
  const flags = TINY.filter((flag) => !flag.startsWith('--sample-every'))
  const every = ['--sample-every', '2', '--decay', 'constant']
  const first = await runDit(['train', ...flags, ...every, '--steps', '3', '--tensorboard', '--out', out])
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(first.stdout).toContain(`tensorboard --logdir ${join(out, 'tensorboard')}`)
  const [name] = eventsIn(out)
  expect(stepsIn(out)).toEqual({ scalars: [1, 2, 3], grids: [2, 3] })
  // The run remembers that it has them.
  await runDit(['train', '--resume', out, '--steps', '4', '--quiet'])
  expect(eventsIn(out)).toEqual([name])
  expect(stepsIn(out)).toEqual({ scalars: [1, 2, 3, 4], grids: [2, 3, 4] })
  await runDit(['train', '--resume', out, '--steps', '5', '--no-tensorboard', '--quiet'])
  expect(stepsIn(out).scalars).toEqual([1, 2, 3, 4])
  // What is missing then is made up for.
  await runDit(['train', '--resume', out, '--tensorboard', '--quiet'])
  expect(stepsIn(out)).toEqual({ scalars: [1, 2, 3, 4, 5], grids: [2, 3, 4, 5] })
})
