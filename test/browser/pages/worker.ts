import { tenSteps } from './ten-steps.js'

globalThis.addEventListener('message', ({ data }: MessageEvent<number>) => {
  tenSteps(data).then(
    (result) => globalThis.postMessage({ result }),
    (error: unknown) => globalThis.postMessage({ error: error instanceof Error ? error.stack : String(error) }),
  )
})
