import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseLog, LOG } from '@dit/train-ddp'
import { writeWhole } from '../run/write-whole.js'
import { encodeEvent, type EventOutline, FILE_VERSION, outlineOf, type TensorBoardEvent } from './event.js'
import { message } from './protobuf.js'
import { decodeRecords, encodeRecord } from './records.js'
import { scalarsOf } from './run-events.js'

/** Where a run keeps its events, in its folder. */
export const EVENTS_FOLDER = 'tensorboard'

/** Seconds since 1970. */
export type WallClock = () => number

export const wallClock: WallClock = () => Date.now() / 1000

/** A run's event file that grows. */
export interface EventFile {
  readonly path: string
  append(event: Omit<TensorBoardEvent, 'wallTime'>): Promise<void>
}

/** Name of the picture that grids of samples have. */
export const SAMPLES_TAG = 'samples'

/**
 * Opens the events of a run that is at a step. Events of later steps, which will come again, are dropped, with what a crash has cut
 * short; steps and grids that have no event get one, from the log and `samples/`, at the time of now. Where something is dropped, the rest goes
 * to a file with a new name, so that a TensorBoard that reads the old one is not misled.
 */
export async function openEventFile(run: string, step: number, clock: WallClock = wallClock): Promise<EventFile> {
  const folder = join(run, EVENTS_FOLDER)
  await mkdir(folder, { recursive: true })
  const files = (await readdir(folder)).filter(isOurs).toSorted()
  const found = await Promise.all(files.map(async (name) => decodeRecords(await readFile(join(folder, name)))))
  const events = found.flatMap(({ records }) => records.map((data) => ({ data, ...outlineOf(data) })))
  const kept = events.filter((event) => event.step <= step)
  const isKept = files.length === 1 && kept.length === events.length && kept.length > 0 && found[0].isWhole
  const path = join(folder, isKept ? files[0] : newName(files, clock))
  if (!isKept) {
    const first = { data: encodeEvent({ wallTime: clock(), step: 0, fileVersion: FILE_VERSION }), step: 0, tags: [] }
    const contents = [first, ...kept.filter(({ tags }) => tags.length > 0)]
    await writeWhole(path, message(...contents.map(({ data }) => encodeRecord(data))))
    for (const name of files) await rm(join(folder, name), { force: true })
  }
  const append: EventFile['append'] = (event) =>
    appendFile(path, encodeRecord(encodeEvent({ wallTime: clock(), ...event })))
  for (const event of await missingEvents(run, step, kept)) await append(event)
  return { path, append }
}

/** Events of the steps and grids of a run that have none. */
async function missingEvents(
  run: string,
  upTo: number,
  events: readonly EventOutline[],
): Promise<Omit<TensorBoardEvent, 'wallTime'>[]> {
  const isImage = ({ tags }: EventOutline) => tags.includes(SAMPLES_TAG)
  const steps = new Set(events.filter((event) => event.tags.length > 0 && !isImage(event)).map(({ step }) => step))
  const grids = new Set(events.filter(isImage).map(({ step }) => step))
  const log = parseLog(await readFile(join(run, LOG), 'utf8').catch(() => ''))
  const scalars = log
    .filter(({ step }) => step <= upTo && !steps.has(step))
    .map((record) => ({ step: record.step, scalars: scalarsOf(record) }))
  const images: { step: number; images: Record<string, Uint8Array> }[] = []
  for (const name of await readdir(join(run, 'samples')).catch(() => [])) {
    const step = Number(/^step-(\d+)\.png$/.exec(name)?.[1] ?? Infinity)
    if (step > upTo || grids.has(step)) continue
    images.push({ step, images: { [SAMPLES_TAG]: await readFile(join(run, 'samples', name)) } })
  }
  return [...scalars, ...images].toSorted((a, b) => a.step - b.step)
}

/** TensorBoard takes files with this word in their names; those of others in the folder stay as they are. */
function isOurs(name: string): boolean {
  return /^events\.out\.tfevents\.\d+\.dit$/.test(name)
}

/** A name that sorts behind the others, as TensorBoard reads files in order. */
function newName(files: readonly string[], clock: WallClock): string {
  const last = Math.max(0, ...files.map((name) => Number(name.split('.')[3])))
  return `events.out.tfevents.${String(Math.max(last + 1, Math.floor(clock()))).padStart(10, '0')}.dit`
}
