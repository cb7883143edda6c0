// Computes beside the page, which stays responsive. Threads of WebAssembly need a Worker anyway.
import { openPipeline, type Pipeline } from '@dit/pipeline'
import { openEngine } from './engine.js'
import type { DrawRequest, News, Request } from './messages.js'

const tell = (news: News) => globalThis.postMessage(news)

let opened: Promise<Pipeline> | undefined

globalThis.addEventListener('message', ({ data }: MessageEvent<Request>) => {
  answer(data).catch((error: unknown) => {
    tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
  })
})

async function answer(request: Request): Promise<void> {
  if (request.type === 'open') {
    opened = open(request.address)
    await opened
  } else if (opened !== undefined) {
    await draw(await opened, request)
  }
}

async function open(address: string): Promise<Pipeline> {
  const { backend, words } = await openEngine()
  const dit = await openPipeline(address, { backend })
  tell({ type: 'ready', classNames: dit.classNames, engine: words })
  return dit
}

async function draw(dit: Pipeline, { className, seed, guidance }: DrawRequest): Promise<void> {
  for await (const step of dit.sample({ classes: className, seed, guidance, steps: 25 })) {
    const [picture] = await step.pictures() // as it is now
    tell({ type: 'step', done: step.done, total: step.total, picture })
  }
}
