import { originRunStore } from '@dit/browser'
import { digestsOf, noProgress, type RunProgress, storedRun } from './stored-run.js'

let progress: RunProgress = noProgress()

/** Begins a run, or goes on with it, and returns at once. */
async function begin(name: string, pause: number): Promise<void> {
  progress = noProgress()
  void storedRun(await originRunStore(name), progress, pause)
}

const look = () => progress

/** Of a run that nobody trains. */
async function digests(name: string): Promise<Record<string, string>> {
  return digestsOf(await originRunStore(name))
}

/** What a log holds for the store that appends to it and for another one, one after the other. */
async function appends(): Promise<(string | null)[]> {
  const [own, other] = [await originRunStore('appends'), await originRunStore('appends')]
  const log = 'log.jsonl'
  const seen: (string | null)[] = []
  const see = async (store: typeof own) => {
    const bytes = await store.read(log)
    seen.push(bytes === null ? null : new TextDecoder().decode(bytes))
  }
  await own.append(log, 'one ')
  await see(other)
  await own.flush(log)
  await see(other)
  await own.append(log, 'two ')
  await own.append(log, 'three ')
  await see(own)
  await own.append(log, 'four ')
  await own.truncate(log, 8)
  await see(other)
  const unlock = await own.lock()
  await own.append(log, 'five ')
  await unlock()
  await see(other)
  return seen
}

Object.assign(globalThis, { begin, look, digests, appends })
