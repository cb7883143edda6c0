import { gaussianProcess } from '@dit/diffusion'
import { forward, parameterShapes } from '@dit/model'
import { ddim, guided, lastStep } from '@dit/sampler'
import { type Backend, toFloat32Array, zeros } from '@dit/tensor'
import type { CaseFiles } from '../case-files.js'
import type { SampleSpec } from '../cases.js'
import { spotValues, type Workload } from '../workload.js'
import { readInt32, readTensor, uploadInto } from './files.js'

/** A few steps of DDIM with guidance on all channels. */
export async function sampleWorkload(
  backend: Backend,
  { model, steps, guidance }: SampleSpec,
  { weights, inputs }: CaseFiles,
): Promise<Workload> {
  const params = Object.fromEntries(
    Object.entries(parameterShapes(model)).map(([name, shape]) => [name, zeros(shape, { backend })]),
  )
  await uploadInto(params, weights!)
  const xT = await readTensor(inputs, 'xT', backend)
  const labels = await readInt32(inputs, 'labels')
  const process = gaussianProcess({ respacing: [steps], varianceType: 'fixedLarge' })
  const predict = guided((xt, timesteps, classes) => forward(model, params, { xt, timesteps, labels: classes }), {
    labels,
    nullLabel: model.numClasses,
    scale: guidance,
    channels: 'all',
  })

  async function draw(): Promise<Float32Array> {
    const x0 = await lastStep(ddim(process.path(), process.denoiser(predict), xT))
    const values = await toFloat32Array(x0)
    x0.dispose()
    return values
  }

  return {
    stateBytes: Object.values(params).reduce((bytes, { byteLength }) => bytes + byteLength, 0),
    verify: async () => spotValues(await draw()),
    run: async () => void (await draw()),
  }
}
