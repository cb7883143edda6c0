import { guided, rescaleGuided } from '@dit/sampler'
import { add, affine, concat, sub } from '@dit/tensor'
import type { KindRunner } from '../outcome.js'
import { numberOf } from './loss-weights.js'

/** `out.s<scale>.phi<phi>`, by the function alone; it must agree with guidance around a model. */
export const cfgRescale: KindRunner = async ({ tensors }, fixture, outcome) => {
  const [cond, uncond] = [fixture.input('cond'), fixture.input('uncond')]
  const batch = cond.shape[0]
  for (const { name, role } of tensors!) {
    if (role !== 'expected') continue
    const [scale, phi] = name.split('.s')[1].split('.phi').map(numberOf)
    const plain = add(uncond, affine(sub(cond, uncond), scale))
    const rescaled = await rescaleGuided(plain, cond, phi).data()
    const labels = new Int32Array(batch)
    const model = () => concat([cond, uncond], 0)
    const predict = guided(model, { labels, nullLabel: 1, scale, channels: 'all', rescale: phi })
    const around = await predict(cond, labels).data()
    outcome.set(name, around)
    // A factor of 1 is left out around a model.
    const agrees = around.every((value, i) => Math.abs(value - rescaled[i]) <= 1e-6 * Math.max(1, Math.abs(value)))
    outcome.fact(`${name}: both functions agree`, agrees)
  }
}
