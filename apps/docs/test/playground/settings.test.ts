import { expect, test } from 'vitest'
import {
  fitSettings,
  hashToSettings,
  sampleOptions,
  type Settings,
  settingsToHash,
  SOLVERS,
  solversOf,
} from '../../src/playground/settings.js'

const HEROES: Settings = {
  model: 'heroes',
  className: '',
  guidance: 1.25,
  steps: 20,
  solver: 'dpmpp-2m',
  seed: 1,
  count: 4,
  engine: 'auto',
  start: '',
  strength: 0.6,
}
const GARMENTS: Settings = { ...HEROES, model: 'garments', guidance: 2 }
const usual = [HEROES, GARMENTS]
const own: Settings = {
  model: 'garments',
  className: 'T-shirt & top, für #1',
  guidance: 0.75,
  steps: 7,
  solver: 'euler-a',
  seed: 9007199254740991,
  count: 9,
  engine: 'wasm',
  start: 'Y2BgYA-_',
  strength: 0.35,
}

test('a link gives back every setting', () => {
  expect(hashToSettings(settingsToHash(own), usual)).toEqual({ settings: own, problems: [] })
  expect(hashToSettings(settingsToHash(HEROES), usual)).toEqual({ settings: HEROES, problems: [] })
})

test('a link says all that decides the pictures, also what is usual today', () => {
  expect(settingsToHash(HEROES)).toBe('#model=heroes&seed=1&count=4&guidance=1.25&steps=20&solver=dpmpp-2m')
})

test('what a link leaves out is as usual for its model', () => {
  expect(hashToSettings('', usual).settings).toEqual(HEROES)
  expect(hashToSettings('#model=garments&seed=0', usual)).toEqual({ settings: { ...GARMENTS, seed: 0 }, problems: [] })
})

test.each([
  ['model', 'villains', 'heroes or garments', 'heroes'],
  ['guidance', '9', '0 to 8', '1.25'],
  ['guidance', 'x', '0 to 8', '1.25'],
  ['guidance', '', '0 to 8', '1.25'],
  ['steps', '0', 'a whole number, 1 to 100', '20'],
  ['steps', '2.5', 'a whole number, 1 to 100', '20'],
  ['seed', '-1', 'a whole number, 0 or more', '1'],
  ['seed', '9007199254740993', 'a whole number, 0 or more', '1'],
  ['count', '5', '1, 4, 9, 16', '4'],
  ['strength', '0', '0.05 to 1', '0.6'],
  ['engine', 'cuda', 'auto, webgpu or wasm', 'auto'],
])('a link with %s=%s is told of, and the usual value taken', (name, value, what, taken) => {
  expect(hashToSettings(`#${name}=${value}`, usual)).toEqual({
    settings: HEROES,
    problems: [`The link asks for ${name} ${value}, but it must be ${what}: ${taken} is taken.`],
  })
})

test('a link with an unknown solver names those that there are', () => {
  const { settings, problems } = hashToSettings('#solver=magic', usual)
  expect(settings).toEqual(HEROES)
  expect(problems).toEqual([expect.stringContaining(SOLVERS.map(({ value }) => value).join(', '))])
})

test('every solver that is offered belongs to a process, and midpoint to flows only', () => {
  const [gaussian, flow] = [solversOf({ kind: 'gaussian' }), solversOf({ kind: 'flow' })]
  expect(SOLVERS.filter((solver) => !gaussian.includes(solver)).map(({ value }) => value)).toEqual(['midpoint'])
  expect(SOLVERS.filter((solver) => !flow.includes(solver)).map(({ value }) => value)).toEqual(['ddim'])
})

test('what an opened model does not have is taken back, and told of', () => {
  const model = { classNames: ['elf', 'troll'], process: { kind: 'flow' } } as const
  const wanted: Settings = { ...HEROES, className: 'orc', solver: 'ddim' }
  expect(fitSettings(wanted, model)).toEqual({
    settings: { ...wanted, className: '', solver: 'dpmpp-2m' },
    problems: [
      'The model has no class orc: classes are drawn at random.',
      'The solver ddim does not work with the process of this model: dpmpp-2m is taken.',
    ],
  })
  const fitting: Settings = { ...HEROES, className: 'troll' }
  expect(fitSettings(fitting, model)).toEqual({ settings: fitting, problems: [] })
})

test('a student of few steps has its own steps and solver, and the scales of guidance that it knows', () => {
  const student = {
    classNames: ['elf'],
    process: { kind: 'gaussian', distilled: { startSteps: 16, numSteps: 4 } },
    guidanceRange: [1, 2] as const,
  }
  expect(solversOf(student.process).map(({ value }) => value)).toEqual(['ddim'])
  expect(solversOf({ ...student.process, kind: 'flow' }).map(({ value }) => value)).toEqual(['euler'])
  expect(fitSettings({ ...HEROES, guidance: 3 }, student)).toEqual({
    settings: { ...HEROES, guidance: 2, steps: 4, solver: 'ddim' },
    problems: [
      'The solver dpmpp-2m does not work with the process of this model: ddim is taken.',
      'This model is a student of few steps, and knows 4 and no others: 4 are taken.',
      'This model knows guidance of 1 to 2: 2 is taken.',
    ],
  })
  const fitting: Settings = { ...HEROES, steps: 4, solver: 'ddim' }
  expect(fitSettings(fitting, student)).toEqual({ settings: fitting, problems: [] })
})

test('settings as options of a pipeline: one class in every place, or classes drawn by the seed; from noise or from a picture', () => {
  const rest = { guidance: 1.25, steps: 20, sampler: 'dpmpp-2m', seed: 1 }
  const names = ['elf', 'troll']
  expect(sampleOptions({ ...HEROES, className: 'troll' }, names, null)).toEqual({ labels: [1, 1, 1, 1], ...rest })
  expect(sampleOptions(HEROES, names, null)).toEqual({ total: 4, ...rest })
  const image = { width: 1, height: 1, data: Uint8Array.of(1, 2, 3, 255) }
  expect(sampleOptions(HEROES, names, image)).toEqual({ total: 4, ...rest, image, strength: 0.6 })
})
