import { flowWeight } from '@dit/diffusion'
import { flowLevel, logitNormalDensity, logitNormalTime, modeTime } from '@dit/schedules'
import type { KindRunner } from '../outcome.js'

/** How training times are drawn, from given draws; SD3's loss weights; densities. */
export const timeSampling: KindRunner = async ({ tensors = [] }, fixture, outcome) => {
  const [normals, uniforms] = [fixture.values('in.normal'), fixture.values('in.uniform')]
  const each = (name: string, draws: ArrayLike<number>, law: (draw: number) => number) =>
    outcome.set(name, Float64Array.from(draws, law))
  const weightings = { sigma_sqrt: 'inverseSigma2', cosmap: 'cosmap' } as const
  for (const { name, role } of tensors) {
    if (role !== 'expected') continue
    if (name === 'in.density_t') outcome.set(name, fixture.values(name)) // an input that the manifest lists as expected
    const [, law, ...numbers] =
      /^out\.(logit_normal|mode|sd3_weight|lightning\.lognorm|density\.logit_normal)\.(.+)$/.exec(name) ?? []
    const [a, b] = (numbers[0] ?? '').split('.').map((text) => Number(text.replace('p', '.').replace('m', '-')))
    if (law === 'logit_normal') each(name, normals, (n) => logitNormalTime(n, a, b))
    else if (law === 'mode') each(name, uniforms, (u) => modeTime(u, a))
    // LightningDiT's time is 1 - t: its mean and normal are the opposites of ours.
    else if (law === 'lightning.lognorm') each(name, normals, (n) => 1 - logitNormalTime(-n, -a))
    else if (law === 'density.logit_normal')
      each(name, fixture.values('in.density_t'), (t) => logitNormalDensity(t, a, b))
    else if (law === 'sd3_weight') {
      const weighting = weightings[numbers[0] as keyof typeof weightings]
      each(name, uniforms, (u) =>
        flowWeight(flowLevel(Math.fround(0.02 + 0.96 * u)), { prediction: 'velocity', weighting }),
      )
    }
  }
}
