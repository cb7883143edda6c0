import { describeWebGpu, webgpu } from '@dit/backend-webgpu'
import { FAVICON_STEPS, faviconParams, faviconSample, PUBLISHED } from './case.js'

const state = document.querySelector('#state')!
const rows = document.querySelector('#rows')!

function addRow(what: string, seconds: number): void {
  const row = document.createElement('tr')
  for (const text of [what, seconds.toFixed(2)]) row.appendChild(document.createElement('td')).textContent = text
  rows.appendChild(row)
}

async function run(): Promise<void> {
  addRow('favicon-diffusion, own WGSL, as published', PUBLISHED.ownKernels)
  addRow('the same network on tfjs, as published', PUBLISHED.tfjs)
  for (const precision of ['f32', 'f16'] as const) {
    const backend = await webgpu({ precision })
    const { adapter } = describeWebGpu(backend)
    state.textContent = `${adapter}, ${precision}: compiling`
    const params = faviconParams(backend)
    await faviconSample(backend, params)
    const seconds: number[] = []
    for (let i = 0; i < 5; i++) {
      state.textContent = `${adapter}, ${precision}: run ${i + 1} of 5`
      const began = performance.now()
      await faviconSample(backend, params)
      seconds.push((performance.now() - began) / 1000)
    }
    seconds.sort((a, b) => a - b)
    addRow(`dit, ${precision}, ${FAVICON_STEPS} steps, middle of five, here`, seconds[2])
    state.textContent = adapter
    await backend.dispose()
  }
}

run().catch((error: unknown) => {
  state.textContent = error instanceof Error ? error.message : String(error)
})
