import { ddim, deis, dpmMultistep, dpmSinglestep, euler, heun, lms, plms, pndm, unipc } from '@dit/sampler'
import { describe, expect, test } from 'vitest'
import { equalPath, errorAlong, pathOf, type Solver } from './paths.js'

const all = { lowerOrderFinal: false } as const
const solvers: readonly [name: string, order: number, solver: Solver][] = [
  ['euler', 1, (path, denoise, xT) => euler(path, denoise, xT)],
  ['ddim', 1, ddim],
  ['heun', 2, (path, denoise, xT) => heun(path, denoise, xT)],
  ['lms of order 2', 2, (path, denoise, xT) => lms(path, denoise, xT, { order: 2 })],
  ['dpmMultistep of order 1', 1, (path, denoise, xT) => dpmMultistep(path, denoise, xT, { ...all, order: 1 })],
  ['dpmMultistep', 2, (path, denoise, xT) => dpmMultistep(path, denoise, xT, all)],
  ['dpmMultistep, heun', 2, (path, denoise, xT) => dpmMultistep(path, denoise, xT, { ...all, type: 'heun' })],
  ['dpmMultistep of order 3', 2, (path, denoise, xT) => dpmMultistep(path, denoise, xT, { ...all, order: 3 })],
  ['dpmsolver', 2, (path, denoise, xT) => dpmMultistep(path, denoise, xT, { ...all, algorithm: 'dpmsolver' })],
  ['dpmSinglestep', 2, (path, denoise, xT) => dpmSinglestep(path, denoise, xT, all)],
  ['dpmSinglestep, heun', 2, (path, denoise, xT) => dpmSinglestep(path, denoise, xT, { ...all, type: 'heun' })],
  [
    'dpmSinglestep of order 3',
    3,
    (path, denoise, xT) => dpmSinglestep(path, denoise, xT, { ...all, order: 3, type: 'heun' }),
  ],
  [
    'dpmSinglestep, dpmsolver',
    2,
    (path, denoise, xT) => dpmSinglestep(path, denoise, xT, { ...all, algorithm: 'dpmsolver' }),
  ],
  ['deis of order 1', 1, (path, denoise, xT) => deis(path, denoise, xT, { ...all, order: 1 })],
  ['deis', 2, (path, denoise, xT) => deis(path, denoise, xT, all)],
  // A first step of order 1, taken once, leaves an error of the second order.
  ['deis of order 3', 2, (path, denoise, xT) => deis(path, denoise, xT, { ...all, order: 3 })],
  ['unipc without corrector', 2, (path, denoise, xT) => unipc(path, denoise, xT, { ...all, uncorrected: everyStep })],
  ['unipc of order 1', 2, (path, denoise, xT) => unipc(path, denoise, xT, { ...all, order: 1 })],
  ['unipc', 2, (path, denoise, xT) => unipc(path, denoise, xT, all)],
  ['unipc, bh1', 2, (path, denoise, xT) => unipc(path, denoise, xT, { ...all, variant: 'bh1' })],
  ['unipc of the noise', 2, (path, denoise, xT) => unipc(path, denoise, xT, { ...all, estimates: 'noise' })],
]
const everyStep = Array.from({ length: 200 }, (_, i) => i)

describe.each(['preserving', 'exploding', 'straight'] as const)('on a %s path', (kind) => {
  test.each(solvers)('%s is of order %i', async (name, order, solver) => {
    // The error of 3M changes its sign at some hundred steps: it is measured beyond.
    const numSteps = name === 'dpmMultistep of order 3' ? 400 : 60
    const [coarse, fine] = [
      await errorAlong(solver, pathOf(kind, numSteps)),
      await errorAlong(solver, pathOf(kind, 2 * numSteps)),
    ]
    // Halving the steps divides the error by 2^order, but for terms of higher order.
    expect(coarse / fine).toBeGreaterThan(0.8 * 2 ** order)
    expect(fine).toBeLessThan(0.1)
  })
})

test('plms and pndm are of second order at least on equal steps', async () => {
  for (const solver of [plms, pndm]) {
    expect((await errorAlong(solver, equalPath(20))) / (await errorAlong(solver, equalPath(40)))).toBeGreaterThan(3.4)
  }
})
