import { completeProcess } from '@dit/diffusion'
import { diffusersConfigOf, diffusersFlow } from '@dit/sampler'
import { expect, test } from 'vitest'

const EULER = { _class_name: 'FlowMatchEulerDiscreteScheduler' }

test('a flow scheduler says a straight path with its training steps and shift', () => {
  const plain = completeProcess({ kind: 'flow', timestepScale: 1000 })
  expect(diffusersFlow(EULER)).toEqual(plain)
  expect(diffusersFlow(JSON.stringify({ _class_name: 'FlowMatchHeunDiscreteScheduler' }))).toEqual(plain)
  const shifted = diffusersFlow({ ...EULER, num_train_timesteps: 500, shift: 3 })
  expect(shifted).toEqual(completeProcess({ kind: 'flow', timestepScale: 500, times: { law: 'uniform', shift: 3 } }))
  // Then the shift is for sampling, and follows from the size of the picture.
  expect(diffusersFlow({ ...EULER, use_dynamic_shifting: true, shift: 3 })).toEqual(plain)
})

test('what is written for a flow comes back', () => {
  const process = completeProcess({ kind: 'flow', timestepScale: 1000, times: { law: 'uniform', shift: 3 } })
  expect(diffusersFlow(diffusersConfigOf(process))).toEqual(process)
})

test('other schedulers are none, and wrong fields are refused', () => {
  expect(diffusersFlow({ _class_name: 'DDIMScheduler' })).toBeNull()
  expect(diffusersFlow({})).toBeNull()
  expect(diffusersFlow({ ...EULER, invert_sigmas: true })).toBeNull()
  expect(() => diffusersFlow({ ...EULER, shift: '3' })).toThrow(
    new TypeError('scheduler_config.json: shift must be a number (got "3")'),
  )
  expect(() => diffusersFlow('{')).toThrow(new RangeError('scheduler_config.json: must be JSON'))
})
