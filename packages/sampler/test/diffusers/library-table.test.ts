import { diffusersPlan, diffusersProcess } from '@dit/sampler'
import { expect, test } from 'vitest'
import { libraryTable, linspace32 } from '../../src/diffusers/library-table.js'

const wide = { beta_start: 0.0005, beta_end: 0.03 }
const zero = { rescale_betas_zero_snr: true }

// Values of diffusers 0.42 with torch on a CPU.
test.each([
  ['EulerDiscrete', 7, { use_karras_sigmas: true }, [999, 901.9837, 775.1343]],
  ['EulerDiscrete', 7, { use_karras_sigmas: true, ...zero }, [995.2574, 988.6022, 966.3516]],
  ['EulerDiscrete', 7, { use_exponential_sigmas: true, ...zero }, [995.2574, 970.4378, 855.6706]],
  ['EulerDiscrete', 7, { use_beta_sigmas: true, ...zero }, [995.2574, 994.909, 993.8972]],
  ['HeunDiscrete', 5, { use_exponential_sigmas: true, beta_schedule: 'squaredcos_cap_v2' }, [999, 997.5854, 942.9545]],
  ['DPMSolverMultistep', 5, { use_exponential_sigmas: true, ...wide }, [998, 788, 496]],
  ['DPMSolverMultistep', 5, { use_karras_sigmas: true, ...wide, ...zero }, [970, 909, 766]],
  ['DPMSolverSinglestep', 5, { use_beta_sigmas: true, ...wide }, [998, 986, 952]],
  ['DEISMultistep', 5, { use_exponential_sigmas: true, ...wide }, [998, 788, 496]],
  ['UniPCMultistep', 5, { use_karras_sigmas: true, ...zero }, [995, 981, 893]],
] as const)('%s in %d steps with %o tells the timesteps of the library', (name, numSteps, fields, wanted) => {
  const { steps } = diffusersPlan({ _class_name: `${name}Scheduler`, ...fields })({ numSteps }).path
  for (const [i, timestep] of wanted.entries()) expect(steps[i].from.timestep).toBeCloseTo(timestep, 3)
})

test('the table is that of the library to the last bit', () => {
  const at = (fields: object, isZeroSnr: boolean, ...places: number[]) => {
    const { sigmas } = libraryTable({ _class_name: 'EulerDiscreteScheduler', ...fields }, isZeroSnr)
    return places.map((place) => sigmas[place])
  }
  expect(at(wide, false, 0, 500, 999)).toEqual([0.02236679568886757, 7.207685470581055, 2213.816162109375])
  expect(at({}, true, 0, 500, 999)).toEqual([0.010001329705119133, 3.5056679248809814, 4095.999755859375])
  // The last but one is noisier, 15406.0088 there: a root in float32 is not always rounded to the nearest.
  expect(at({}, true, 998)[0] / 15406.0087890625).toBeCloseTo(1, 6)
})

test('equal steps in float32 meet both ends', () => {
  const values = linspace32(0.0001, 0.02, 1000)
  expect([values[0], values[999]]).toEqual([Math.fround(0.0001), Math.fround(0.02)])
  expect([...linspace32(0.1, 0.2, 1)]).toEqual([Math.fround(0.1)])
  expect([...linspace32(0, 4, 5)]).toEqual([0, 1, 2, 3, 4])
})

test('the process of other samplers stays in float64', () => {
  expect(diffusersProcess(wide).betas[999]).toBe(0.03)
})
