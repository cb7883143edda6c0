import { expect, test } from 'vitest'
import { problemText } from '../../src/playground/problem.js'

const error = (name: string, message: string, fields: object = {}) =>
  Object.assign(new Error(message), { name, ...fields })

test.each([
  [
    error('WebFileError', 'fetchFile: a gave 404 Not Found', { status: 404 }),
    'The weights of this model are not there: fetchFile: a gave 404 Not Found. Choose another model, or reload the page: there may be a newer one.',
  ],
  [
    error('WebFileError', 'fetchFile: a cannot be reached', { status: null }),
    'The weights did not load: fetchFile: a cannot be reached. Check the connection, then draw again.',
  ],
  [error('OpenError', 'a: no weights'), 'The model did not open: a: no weights.'],
  [
    error('OptionError', 'sampler ddpm cannot', { option: 'sampler' }),
    'solver ddpm cannot. Change it, and the page draws again.',
  ],
  [
    error('OptionError', 'steps 60 is too many', { option: 'steps' }),
    'steps 60 is too many. Change it, and the page draws again.',
  ],
  [
    error('WebGpuUnavailableError', 'webgpu: no adapter'),
    'There is no WebGPU here: webgpu: no adapter. Choose WebAssembly, which draws the same pictures more slowly.',
  ],
  [
    error('DeviceLostError', 'webgpu: lost'),
    'What computed the pictures is gone: webgpu: lost. Draw again to start it anew; if it happens again, choose WebAssembly.',
  ],
  [
    error('WorkerLostError', 'the browser ended it'),
    'What computed the pictures is gone: the browser ended it. Draw again to start it anew; if it happens again, choose WebAssembly.',
  ],
  ['thrown', 'thrown. Draw again, or reload the page.'],
])('%s', (given, text) => {
  expect(problemText(given)).toBe(text)
})
