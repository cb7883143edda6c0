import { add, type Backend, dispose, mul, sum, valueAndGrad } from '@dit/tensor'
import { decode, decodeTiled, encode, encodeTiled, modeOfPosterior, samplePosterior } from '@dit/vae'
import { describe, expect, test } from 'vitest'
import { CASES, openCase } from './fixtures.js'

/** Autoencoders of diffusers, with its results, on a backend. */
export function testLikeDiffusers(backend: Backend): void {
  describe.each(CASES)('the autoencoder "%s" of diffusers', (name) => {
    test('encodes to the same posterior and draws the same sample', async () => {
      const { config, params, input, expectNear } = await openCase(name, backend)
      const posterior = encode(config, params, await input('image'))
      await expectNear(posterior.mean, 'mean')
      await expectNear(modeOfPosterior(posterior), 'mean')
      await expectNear(posterior.logVariance, 'log_variance')
      await expectNear(samplePosterior(posterior, await input('noise')), 'sample')
    })

    test('decodes to the same image', async () => {
      const { config, params, input, expectNear } = await openCase(name, backend)
      await expectNear(decode(config, params, await input('z')), 'decoded')
    })

    test('has the same gradients', async () => {
      const { config, params, input, expectNear } = await openCase(name, backend)
      const [image, z, slope] = [await input('image'), await input('z'), await input('slope')]
      const of = (key: string) => ({ [key]: params[key] })
      const decoder = valueAndGrad(of('decoder.conv_in.weight'), () => ({
        loss: sum(mul(decode(config, params, z), slope)),
      }))
      // Gradients pass twenty layers back; PyTorch's own float32 moves them by some 1e-5.
      await expectNear(decoder.gradients['decoder.conv_in.weight'], 'gradient.decoder.conv_in.weight', 1e-4)
      const encoder = valueAndGrad(of('encoder.conv_in.weight'), () => {
        const { mean, logVariance } = encode(config, params, image)
        return { loss: add(sum(mean), sum(logVariance)) }
      })
      await expectNear(encoder.gradients['encoder.conv_in.weight'], 'gradient.encoder.conv_in.weight', 1e-4)
    })
  })

  test('tiles give what tiles of diffusers give', async () => {
    const { config, params, input, expectNear } = await openCase('tiled', backend)
    const tiles: string[] = []
    const onTile = (done: number, total: number) => void tiles.push(`${done}/${total}`)
    const posterior = encodeTiled(config, params, await input('large'), { onTile })
    await expectNear(posterior.mean, 'large_mean')
    await expectNear(posterior.logVariance, 'large_log_variance')
    expect(tiles).toHaveLength(12)
    expect(tiles.at(-1)).toBe('12/12')
    await expectNear(decodeTiled(config, params, await input('large_z')), 'large_decoded')
  })

  test('one tile that holds everything is the plain way, to the bit', async () => {
    const { config, params, input } = await openCase('tiled', backend)
    const [image, z] = [await input('image'), await input('z')]
    const both = [encode(config, params, image).mean, encodeTiled(config, params, image).mean]
    expect(await both[1].data()).toEqual(await both[0].data())
    const images = [decode(config, params, z), decodeTiled(config, params, z, { tileSize: 16 })]
    expect(await images[1].data()).toEqual(await images[0].data())
  })

  test('leaves nothing behind but its results', async () => {
    const { config, params, input } = await openCase('tiled', backend)
    const large = await input('large')
    const before = backend.memory().buffers
    const posterior = encodeTiled(config, params, large)
    const image = decodeTiled(config, params, posterior.mean)
    expect(backend.memory().buffers).toBe(before + 3)
    dispose([posterior, image])
    expect(backend.memory().buffers).toBe(before)
  })
}
