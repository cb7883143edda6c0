import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSafetensors, type StoredArray, writeSafetensors } from '@dit/checkpoint'
import { openPipeline } from '@dit/pipeline/node'
import { dispose } from '@dit/tensor'
import { afterAll, expect, test } from 'vitest'
import { backend, classNames, folderOfTest } from '../support/every-form.js'
import { movedParams, PROCESSES, tinyNetwork } from '../support/tiny-models.js'

/** As diffusers' class computes its timestep features. */
const network = { ...tinyNetwork, timestepFrequencyShift: 1 } as const
const params = movedParams(network, backend)
afterAll(() => dispose(params))

/** Makes a folder of dit one of another program: only its scheduler says what the network was trained on. */
async function forget(folder: string): Promise<void> {
  const weights = join(folder, 'diffusion_pytorch_model.safetensors')
  const file = readSafetensors(readFileSync(weights))
  const tensors = new Map<string, StoredArray>()
  for (const name of file.entries.keys()) tensors.set(name, await file.tensor(name))
  writeFileSync(weights, writeSafetensors(tensors, { format: 'pt' }))
  rmSync(join(folder, 'scheduler'), { recursive: true })
  mkdirSync(join(folder, 'scheduler'))
  const scheduler = { _class_name: 'FlowMatchEulerDiscreteScheduler', num_train_timesteps: 1000, shift: 3 }
  writeFileSync(join(folder, 'scheduler/scheduler_config.json'), JSON.stringify(scheduler))
}

test("the scheduler of somebody's flow says its process: it samples as a flow, and so do files made of it", async () => {
  const folder = folderOfTest()
  const process = PROCESSES['a flow as diffusers has it']
  const dit = await openPipeline({ network, params, process, classNames }, { backend })
  const options = { classes: ['0'], steps: 3, sampler: 'euler', seed: 2 } as const
  const want = await dit.pictures(options)
  await dit.save(folder)
  await forget(folder)
  const theirs = await openPipeline(folder, { backend })
  expect(theirs.model.isProcessKnown).toBe(true)
  expect(theirs.description.process).toEqual(dit.description.process)
  expect(await theirs.pictures(options)).toEqual(want)
  // Their scheduler lays out the steps where no sampler is named.
  expect(await theirs.pictures({ classes: ['0'], steps: 3, seed: 2 })).not.toEqual(want)
  await theirs.save(join(folder, 'made.pt'))
  theirs.dispose()
  const made = await openPipeline(join(folder, 'made.pt'), { backend })
  expect(await made.pictures(options)).toEqual(want)
  const ddim = made.pictures({ ...options, sampler: 'ddim' })
  await expect(ddim).rejects.toThrow('on a flow ddim is the same as euler')
  made.dispose()
})
