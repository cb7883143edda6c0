import { join } from 'node:path'
import { writeSafetensorsFile } from '@dit/checkpoint/node'
import { openConditions } from '@dit/train-ddp/node'
import { expect, test } from 'vitest'
import { ENGINE, vae } from './support/pictures-to-encode.js'
import { keptFolder, runDit } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'
import { makeToldPictures, TOLD_FILES, toldTensors } from './support/told-pictures.js'

const folder = keptFolder()
const data = join(folder, 'data')

test('latents have what is told of their pictures, and a run on them learns from it', async () => {
  await makeToldPictures(data)
  const latents = join(folder, 'latents')
  const encode = ['encode', data, '--vae', vae, '--out', latents, '--size=8', '--no-flips', ...ENGINE]
  const encoded = await runDit(encode)
  expect(encoded).toMatchObject({ code: 0, stderr: '' })
  expect(encoded.stdout).toContain('style (2 classes); tell them with: dit train --conditions caption,pose,style\n')
  const file = await openConditions(join(latents, 'conditions.safetensors'))
  expect(file.files).toEqual(TOLD_FILES)
  const { style } = await file.read(['style'], [0, 1, 2, 3, 4, 5])
  expect([...style.data]).toEqual([0, 1, 0, 1, 0, 1])
  await file.close()

  const flags = [...TINY.filter((flag) => !/size|sample|patch/.test(flag)), '--patch=2', '--steps=2', '--no-flip']
  const out = join(folder, 'of-latents')
  const trained = await runDit(['train', ...flags, '--latents', latents, '--conditions=pose,labels', '--out', out])
  expect(trained).toMatchObject({ code: 0, stderr: '' })
  expect(trained.stdout).toContain('told   pose (a vector of 2), labels (2 classes)')

  await writeSafetensorsFile(join(latents, 'conditions.safetensors'), toldTensors([0, 1]))
  const resumed = await runDit(['train', '--resume', out, '--steps=3'])
  expect(resumed.code).toBe(2)
  expect(resumed.stderr).toContain('it must have a row for each of 6 latents, in their order (got 2)')
  expect((await runDit([...encode, '--quiet'])).code).toBe(0)
  expect((await openConditions(join(latents, 'conditions.safetensors'))).length).toBe(6)
})
