import { completeProcess } from '@dit/diffusion'
import { expect, test } from 'vitest'
import { startProblem } from '../../src/train/from-weights.js'
import { PAGE_PROCESS, pageModel } from '../../src/train/settings.js'

const settings = { size: 16, classes: ['disc', 'ring'] }
const same = {
  network: pageModel(settings),
  process: completeProcess(PAGE_PROCESS),
  classNames: settings.classes,
}

test('the page goes on from weights of its own network, process and classes', () => {
  expect(startProblem(same, settings)).toBeNull()
  expect(startProblem({ ...same, network: { ...same.network, inputSize: [16, 16] } }, settings)).toBeNull()
})

test('what differs is named, with what it is and what it must be', () => {
  const problemOf = (changes: Partial<typeof same>) => startProblem({ ...same, ...changes }, settings)
  expect(problemOf({ network: { ...same.network, hiddenSize: 64 } })).toBe(
    'hiddenSize of the network is 64 in the file and must be 128',
  )
  expect(problemOf({ network: { ...same.network, qkNorm: true } })).toBe(
    'qkNorm of the network is true in the file and must be absent',
  )
  expect(
    problemOf({ process: completeProcess({ kind: 'gaussian', varianceType: 'fixedSmall', meanType: 'epsilon' }) }),
  ).toBe('schedule of the process is linear in the file and must be squaredcos_cap_v2')
  expect(problemOf({ process: completeProcess({ kind: 'flow' }) })).toBe(
    'kind of the process is flow in the file and must be gaussian',
  )
  expect(problemOf({ classNames: ['disc', 'square'] })).toBe('class 1 is square in the file and must be ring')
  expect(startProblem({ ...same, network: null, process: null }, settings)).toBe(
    'kind of the process is absent in the file and must be gaussian',
  )
})
