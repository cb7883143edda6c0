import { expect, test } from 'vitest'
import { problemText } from '../../src/element/problem.js'

const error = (name: string, message: string, fields: object = {}) =>
  Object.assign(new Error(message), { name, ...fields })

for (const [given, text] of [
  [error('OptionError', 'classes: the model has no class x', { option: 'classes' }), 'class: the model has no class x'],
  [error('OptionError', 'sampler foo is none', { option: 'sampler' }), 'solver foo is none'],
  [error('OptionError', 'steps 0 must be 1', { option: 'steps' }), 'steps 0 must be 1'],
  [
    error('WebFileError', 'a gave 404'),
    'The model did not load: a gave 404. Check the address and the connection, then draw again.',
  ],
  [error('OpenError', 'a: no weights'), 'The model did not open: a: no weights.'],
  [error('WebGpuUnavailableError', 'no WebGPU'), 'no WebGPU. With engine="auto" the element draws without WebGPU.'],
  [error('DeviceLostError', 'lost'), 'What computed the picture is gone: lost. Draw again to start it anew.'],
  ['thrown', 'thrown.'],
] as const) {
  test(`it says: ${text}`, () => {
    expect(problemText(given)).toBe(text)
  })
}
