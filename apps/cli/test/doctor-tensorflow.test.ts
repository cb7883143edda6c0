import { expect, test } from 'vitest'
import { fakePackage, loads } from '../../../packages/backend-tfjs/test/tensorflow/fake-package.js'
import { runDit, temporaryFolder } from './support/run-dit.js'

interface Report {
  readonly ok: boolean
  readonly engines: readonly {
    name: string
    status: string
    text: string
    fix?: string
    details: { trouble?: string }
  }[]
}

/** What the doctor says of one engine where `folder` has the npm package, or something like it. */
async function examine(backend: string, folder: string, env: NodeJS.ProcessEnv = {}) {
  const said = await runDit(['doctor', '--backend', backend, '--json'], { env: { ...env, DIT_TFJS_NODE: folder } })
  const [{ name, status, details, ...rest }] = (JSON.parse(said.stdout) as Report).engines
  expect([said.code, name, status]).toEqual([1, backend, 'missing'])
  return { trouble: details.trouble, ...rest }
}

const gpu = '@tensorflow/tfjs-node-gpu'
const dso = "Could not load dynamic library 'libcudnn.so.8'; dlerror: libcudnn.so.8: cannot open shared object file\n"
const noDevice = 'failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected\n'

test.each([
  [
    'not-installed',
    () => temporaryFolder(),
    'is not installed',
    'npm install --ignore-scripts @tensorflow/tfjs-node-gpu',
  ],
  [
    'no-native-part',
    () => fakePackage({ name: gpu, lib: null }),
    'native part is missing',
    'npx dit-tensorflow build --gpu',
  ],
  ['wrong-abi', () => fakePackage({ name: gpu, lib: 'napi-v3' }), 'is for napi-v3', 'npx dit-tensorflow build --gpu'],
  [
    'no-library',
    () => fakePackage({ name: gpu, code: loads(false, dso) }),
    'libcudnn.so.8 is not found (cuDNN, version 8); TensorFlow 2.9.1 wants CUDA 11.2 and cuDNN 8.1',
    'install cuDNN, version 8',
  ],
  [
    'no-device',
    () => fakePackage({ name: gpu, code: loads(false, noDevice) }),
    'finds no GPU (CUDA_ERROR_NO_DEVICE',
    'nvidia-smi',
  ],
])('tfjs-node-gpu: %s is told with its fix', async (trouble, folder, text, fix) => {
  // An empty CUDA_VISIBLE_DEVICES of the machine would be a finding of its own.
  const found = await examine('tfjs-node-gpu', folder(), { CUDA_VISIBLE_DEVICES: '0' })
  expect(found.trouble).toBe(trouble)
  expect(found.text).toContain(text)
  expect(found.fix).toContain(fix)
})

test('to train on an engine that is not there is an error that names what is missing', async () => {
  const env = { DIT_TFJS_NODE: temporaryFolder() }
  const { code, stderr } = await runDit(['train', '--backend', 'tfjs-node', '--steps', '1', '--out', 'x'], { env })
  expect(code).toBe(1)
  expect(stderr).toBe(
    'dit: the engine tfjs-node cannot be used: @tensorflow/tfjs-node is not installed; run `dit doctor` to see what is missing\n',
  )
})

test('--tf32 is for tfjs-node-gpu', async () => {
  const { code, stderr } = await runDit(['train', '--backend', 'cpu-wasm', '--tf32', '--out', 'x'])
  expect([code, stderr]).toEqual([2, 'dit: --tf32 works only with --backend tfjs-node-gpu (the backend is cpu-wasm)\n'])
})
