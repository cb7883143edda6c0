import { type Picture, toImageData } from '@dit/pipeline'
import type { News, Request } from './messages.js'

const form = document.querySelector('form')!
const classes = document.querySelector('select')!
const button = document.querySelector('button')!
const status = document.querySelector('[role=status]')!
const canvas = document.querySelector('canvas')!

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
const ask = (request: Request) => worker.postMessage(request)
let engine = ''

worker.addEventListener('message', ({ data }: MessageEvent<News>) => {
  if (data.type === 'failed') {
    button.disabled = classes.disabled
    status.textContent = data.message
  } else if (data.type === 'ready') {
    engine = data.engine
    classes.append(...data.classNames.map((name) => new Option(name)))
    classes.disabled = false
    draw()
  } else {
    show(data.picture)
    const isDone = data.done === data.total
    button.disabled = !isDone
    status.textContent = `${isDone ? 'Drawn' : `Step ${data.done} of ${data.total}`} with ${engine}`
  }
})
worker.addEventListener('error', ({ message }) => (status.textContent = `The Worker failed: ${message}`))

form.addEventListener('submit', (event) => {
  event.preventDefault()
  draw()
})

await open(new URL('model.safetensors', document.baseURI).href)

async function open(address: string): Promise<void> {
  const { ok, status: code } = await fetch(address, { method: 'HEAD' })
  if (ok) ask({ type: 'open', address })
  else status.textContent = `There is no model at ${address} (${code}): npm run train makes it.`
}

function draw(): void {
  button.disabled = true
  status.textContent = 'Drawing'
  const values = new FormData(form)
  const [seed, guidance] = [Number(values.get('seed')), Number(values.get('guidance'))]
  ask({ type: 'draw', className: classes.value, seed, guidance })
}

function show(picture: Picture): void {
  canvas.width = picture.width
  canvas.height = picture.height
  canvas.getContext('2d')!.putImageData(toImageData(picture), 0, 0)
  canvas.ariaLabel = picture.className
}
