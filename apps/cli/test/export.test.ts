import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeSafetensors } from '@dit/checkpoint'
import { type About, descriptionFromMetadata, descriptionMetadata, type DiTConfig, initParams } from '@dit/model'
import { onnxMetadata } from '@dit/onnx'
import { reference, toFloat32Array } from '@dit/tensor'
import { expect, test } from 'vitest'
import { vae } from './support/pictures-to-encode.js'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { tinyModel } from './support/tiny-run.js'

const network: DiTConfig = { ...tinyModel, inChannels: 4 }

/** A file of weights of latents that says some of what is known. */
async function weightsWith(file: string, about: Partial<About>, of = network): Promise<void> {
  const params = Object.entries(initParams(of, { backend: reference() }))
  const tensors = params.map(async ([name, value]) => {
    return [name, { dtype: 'F32', shape: value.shape, data: await toFloat32Array(value) }] as const
  })
  writeFileSync(
    file,
    writeSafetensors(new Map(await Promise.all(tensors)), descriptionMetadata({ network: of, ...about })),
  )
}

test('the files of dit export say what the weights say, and the decoder scales latents as they do', async () => {
  const folder = temporaryFolder()
  const [weights, plain, other] = ['a.safetensors', 'b.safetensors', 'vae'].map((name) => join(folder, name))
  const about = { process: { kind: 'gaussian' }, classNames: ['a', 'b', 'c', 'd', 'e, f', '0'] }
  const latents = { scale: 0.5, mean: 0.1 }
  await weightsWith(weights, { ...about, latents })
  await weightsWith(plain, about)
  cpSync(vae, other, { recursive: true })
  const config = JSON.parse(readFileSync(join(vae, 'config.json'), 'utf8')) as object
  writeFileSync(join(other, 'config.json'), JSON.stringify({ ...config, scaling_factor: 0.5, shift_factor: 0.1 }))
  const [out, want] = [join(folder, 'out'), join(folder, 'want')]
  const exported = (file: string, ...args: string[]) => runDit(['export', file, '--quiet', '--onnx', ...args])
  expect(await exported(weights, out, '--vae', vae)).toMatchObject({ code: 0, stderr: '' })
  expect(await exported(plain, want, '--vae', other)).toMatchObject({ code: 0, stderr: '' })
  const decoder = readFileSync(join(out, 'vae_decoder.onnx'))
  expect(decoder.equals(readFileSync(join(want, 'vae_decoder.onnx')))).toBe(true)
  const described = descriptionFromMetadata(onnxMetadata(readFileSync(join(out, 'denoiser.onnx'))))
  expect(described).toMatchObject({ network, classNames: about.classNames, latents, pixelRange: null })
  expect(described!.process).toMatchObject({ kind: 'gaussian', schedule: 'linear', numTimesteps: 1000 })

  const mean = [0, 1, 2, 3]
  await weightsWith(weights, { ...about, latents: { scale: 0.5, mean } })
  const byChannel = { scaling_factor: 0.5, latents_mean: mean, latents_std: [1, 1, 1, 1] }
  writeFileSync(join(other, 'config.json'), JSON.stringify({ ...config, ...byChannel }))
  for (const [file, to, autoencoder] of [
    [weights, out, vae],
    [plain, want, other],
  ]) {
    expect(await exported(file, to, '--vae', autoencoder)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('denoiser.onnx already exists; overwrite it with --force'),
    })
    expect(await exported(file, to, '--vae', autoencoder, '--force')).toMatchObject({ code: 0, stderr: '' })
  }
  const both = [out, want].map((to) => readFileSync(join(to, 'vae_decoder.onnx')))
  expect(both[0].equals(both[1])).toBe(true)
  expect(both[0].equals(decoder)).toBe(false)
})

test('other blocks than the published are exported, and a network that has conditions is refused by name', async () => {
  const folder = temporaryFolder()
  const [modern, told, out] = ['modern.safetensors', 'told.safetensors', 'out'].map((name) => join(folder, name))
  const about = { process: { kind: 'flow' } }
  const blocks = { rope: true, mlp: 'swiglu', norm: 'rms', qkNorm: true, sharedModulation: true } as const
  await weightsWith(modern, about, { ...network, ...blocks })
  expect(await runDit(['export', modern, '--onnx', out, '--guidance', '--quiet'])).toMatchObject({
    code: 0,
    stderr: '',
  })
  const described = descriptionFromMetadata(onnxMetadata(readFileSync(join(out, 'denoiser.onnx'))))
  expect(described!.network).toMatchObject(blocks)

  const conditions = [{ name: 'pose', kind: 'vector', size: 2, dropout: 0.1 }] as const
  await weightsWith(told, about, { ...network, numClasses: 0, classDropout: 0, conditions })
  const refused = await runDit(['export', told, '--onnx', join(folder, 'none'), '--quiet'])
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      'told.safetensors: the network is told pose, not a class; draw with it by',
    ) as string,
  })
})
