import { cpu, describeCpu } from '@dit/backend-cpu'
import { originRunStore } from '@dit/browser'
import type { FromTrainer, ToTrainer } from './messages.js'
import { pageTrainer, problemText } from './trainer.js'

// A page trains one run at a time, in WebAssembly: small networks gain little from a graphics card.
const scope = globalThis as unknown as {
  postMessage(message: FromTrainer, transfer: Transferable[]): void
  addEventListener(type: 'message', hear: (event: MessageEvent<ToTrainer>) => void): void
}
const post = (message: FromTrainer) => scope.postMessage(message, [])

async function engine() {
  const backend = await cpu({ engine: 'wasm' })
  const { threads } = describeCpu(backend)
  return { backend, description: `WebAssembly, ${threads === 1 ? 'one thread' : `${threads} threads`}` }
}

const answer = originRunStore('train-here').then(
  (store) => pageTrainer({ store, engine, post }),
  (error: unknown) => async () => post({ kind: 'problem', text: problemText(error) }),
)
scope.addEventListener('message', ({ data }) => void answer.then((answerTo) => answerTo(data)))
