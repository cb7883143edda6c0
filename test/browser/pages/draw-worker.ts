import { draw, type DrawRequest } from './draw.js'

globalThis.addEventListener('message', ({ data }: MessageEvent<DrawRequest>) => {
  draw(data).then(
    (result) => globalThis.postMessage({ result }),
    (error: unknown) => globalThis.postMessage({ error: error instanceof Error ? error.stack : String(error) }),
  )
})
