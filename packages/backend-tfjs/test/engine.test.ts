import { expect, test } from 'vitest'
import { importEngine } from '../src/engine.js'

test('a missing engine package is an error that says what to install', async () => {
  const cause = new Error('Cannot find package')
  const failing = importEngine('wasm', () => Promise.reject(cause))
  await expect(failing).rejects.toMatchObject({
    message:
      "tfjs: the engine 'wasm' needs @tensorflow/tfjs-backend-wasm, which could not be loaded; npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm",
    cause,
  })
})
