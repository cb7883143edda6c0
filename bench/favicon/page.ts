import { compileAhead, describeWebGpu, webgpu } from '@dit/backend-webgpu'
import { countParameters, type DiTConfig } from '@dit/model'
import { dispose } from '@dit/tensor'
import { FAVICON_STEPS, faviconModel, faviconParams, faviconSample, PUBLISHED } from './case.js'

const ENGINES = ['f32', 'f16', 'tfjs'] as const
type Engine = (typeof ENGINES)[number]

interface Choice {
  readonly steps: number
  readonly runs: number
  readonly engines: readonly Engine[]
  readonly model: DiTConfig
}

/** One picture, `[1, 3, 32, 32]`, and how to be rid of what makes it. */
interface Drawing {
  readonly name: string
  readonly sample: () => Promise<Float32Array>
  readonly end: () => Promise<void>
}

const at = (id: string) => document.querySelector(`#${id}`)!
const bar = at('bar') as HTMLProgressElement

function readChoice(search: string): Choice {
  const query = new URLSearchParams(search)
  const count = (name: string, otherwise: number, most: number) => {
    const value = Number(query.get(name) ?? otherwise)
    if (Number.isInteger(value) && value >= 1 && value <= most) return value
    throw new RangeError(`${name} must be an integer, 1..${most} (got ${query.get(name)})`)
  }
  const names = (query.get('engines') ?? ENGINES.join()).split(',')
  const unknown = names.find((name) => !(ENGINES as readonly string[]).includes(name))
  if (unknown !== undefined) throw new RangeError(`engines may name ${ENGINES.join(', ')} (got ${unknown})`)
  return {
    steps: count('steps', FAVICON_STEPS, 1000),
    runs: count('runs', 5, 1000),
    engines: names as Engine[],
    model: { ...faviconModel, depth: count('depth', faviconModel.depth, 100) },
  }
}

function show(text: string, share: number): void {
  at('state').textContent = text
  bar.value = share
}

function addRow(what: string, seconds: readonly number[], picture: Float32Array | null): void {
  const sorted = seconds.toSorted((a, b) => a - b)
  const middle = sorted[sorted.length >> 1]
  const range = sorted.length > 1 ? `${sorted[0].toFixed(2)} to ${sorted.at(-1)!.toFixed(2)}` : ''
  const row = at('rows').appendChild(document.createElement('tr'))
  for (const text of [what, middle.toFixed(2), range]) row.appendChild(document.createElement('td')).textContent = text
  const cell = row.appendChild(document.createElement('td'))
  if (picture !== null) cell.appendChild(painted(picture))
}

/** A picture, `[1, 3, 32, 32]` in [-1, 1]. */
function painted(picture: Float32Array): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = 32
  const image = new ImageData(32, 32)
  for (let pixel = 0; pixel < 1024; pixel++) {
    for (let c = 0; c < 3; c++) image.data[4 * pixel + c] = (picture[1024 * c + pixel] + 1) * 127.5
    image.data[4 * pixel + 3] = 255
  }
  canvas.getContext('2d')!.putImageData(image, 0, 0)
  return canvas
}

async function ditDrawing(precision: 'f32' | 'f16', { steps, model }: Choice): Promise<Drawing> {
  const backend = await webgpu({ precision })
  at('adapter').textContent = `The graphics card: ${describeWebGpu(backend).adapter}`
  const rehearsal = async () => {
    const params = faviconParams(backend, model)
    await faviconSample(backend, params, { steps: 1, model })
    dispose(params)
  }
  await compileAhead(backend, rehearsal, {
    onProgress: ({ done, total }) => show(`dit, ${precision}: ${done} of ${total} kernels compiled`, done / total),
  })
  const params = faviconParams(backend, model)
  return {
    name: `dit, ${precision}`,
    sample: () => faviconSample(backend, params, { steps, model }),
    end: async () => backend.dispose(),
  }
}

async function tfjsDrawing({ steps, model }: Choice): Promise<Drawing> {
  show('plain tfjs: starting', 0)
  const tf = await import('@tensorflow/tfjs-core')
  await import('@tensorflow/tfjs-backend-webgpu')
  await tf.setBackend('webgpu')
  const { tfjsCase, tfjsSample } = await import('./tfjs.js')
  const backend = await webgpu()
  const params = faviconParams(backend, model)
  const drawn = await tfjsCase(backend, params)
  await backend.dispose()
  return {
    name: 'plain tfjs, webgpu',
    sample: () => tfjsSample(drawn, { steps, model }),
    end: async () => tf.dispose([drawn.xT, { ...drawn.params }]),
  }
}

async function run(choice: Choice): Promise<void> {
  const { steps, runs, engines, model } = choice
  const millions = countParameters(model).all / 1e6
  at('title').textContent =
    `${steps} ${steps === 1 ? 'step' : 'steps'} of a DiT with ${millions.toFixed(1)} million parameters`
  addRow('favicon-diffusion, own WGSL, as published', [PUBLISHED.ownKernels], null)
  addRow('the same network on tfjs, as published', [PUBLISHED.tfjs], null)
  let first: { readonly name: string; readonly picture: Float32Array } | null = null
  const differences: string[] = []
  for (const engine of engines) {
    const { name, sample, end } = await (engine === 'tfjs' ? tfjsDrawing(choice) : ditDrawing(engine, choice))
    show(`${name}: warming up`, 0)
    let picture = await sample()
    const seconds: number[] = []
    for (let i = 0; i < runs; i++) {
      show(`${name}: run ${i + 1} of ${runs}`, i / runs)
      const began = performance.now()
      picture = await sample()
      seconds.push((performance.now() - began) / 1000)
    }
    addRow(`${name}, here`, seconds, picture)
    await end()
    if (first === null) first = { name, picture }
    else differences.push(`${name} and ${first.name} by at most ${largest(picture, first.picture)} of 255`)
  }
  if (differences.length > 0) at('agreement').textContent = `They differ: ${differences.join('; ')}.`
  show('Done.', 1)
}

/** Largest difference of two pictures in steps of a pixel's value. */
function largest(a: Float32Array, b: Float32Array): string {
  return (127.5 * a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0)).toFixed(2)
}

async function main(): Promise<void> {
  await run(readChoice(location.search))
}

main().catch((error: unknown) => {
  at('state').className = 'error'
  show(error instanceof Error ? error.message : String(error), 0)
})
