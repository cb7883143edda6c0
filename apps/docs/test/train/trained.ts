import { cpu } from '@dit/backend-cpu'
import { memoryRunStore } from '@dit/train-ddp'
import type { FromTrainer, ToTrainer } from '../../src/train/messages.js'
import type { PagePictures, PageSettings } from '../../src/train/settings.js'
import { pageTrainer } from '../../src/train/trainer.js'

/** A training of three steps. */
export const settings: PageSettings = {
  format: 'dit-page-run-1',
  data: 'pictures',
  classes: ['dark', 'light'],
  size: 4,
  steps: 3,
  seed: 0,
}

export const pictures: PagePictures = {
  classes: settings.classes,
  labels: Int32Array.from({ length: 12 }, (_, i) => i % 2),
  pixels: Uint8Array.from({ length: 12 * 48 }, (_, i) => (Math.floor(i / 48) % 2 === 0 ? 20 : 230)),
}

/** A trainer in memory, and all that it says in answer to a message. */
export function trainer(files = new Map<string, Uint8Array>()) {
  const heard: FromTrainer[] = []
  const store = memoryRunStore(files)
  const engine = async () => ({ backend: await cpu({ engine: 'wasm', threads: 1 }), description: 'one thread' })
  const ask = pageTrainer({ store, engine, post: (message) => heard.push(message) })
  const asked = async (message: ToTrainer) => {
    heard.length = 0
    await ask(message)
    return heard
  }
  return { asked, heard, files }
}
