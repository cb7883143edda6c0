import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tfjs } from '@dit/backend-tfjs'
import { probeTensorflow } from '@dit/backend-tfjs/node'
import { expect, onTestFinished, test } from 'vitest'
import { missingLibraries } from '../../src/node/probe.js'
import { fakePackage, loads } from './fake-package.js'

const gpu = '@tensorflow/tfjs-node-gpu'
const buildCpu =
  'python3 -m venv venv && venv/bin/pip install tensorflow-cpu && npx dit-tensorflow build --python venv/bin/python'
const buildGpu =
  "python3 -m venv venv && venv/bin/pip install 'tensorflow[and-cuda]' && npx dit-tensorflow build --gpu --python venv/bin/python"
const { CUDA_VISIBLE_DEVICES: _, ...env } = process.env

test('not installed: says what to install, in Node and through the engine', async () => {
  const from = fakePackage({ name: gpu })
  const expected = {
    name: 'TensorflowError',
    trouble: 'not-installed',
    message: '@tensorflow/tfjs-node is not installed',
    fix: `npm install --ignore-scripts @tensorflow/tfjs-node && ${buildCpu}`,
  }
  await expect(probeTensorflow('cpu', { from })).rejects.toMatchObject(expected)
  await expect(tfjs({ engine: 'tensorflow', from })).rejects.toMatchObject(expected)
})

test('installed without its native part: says where it belongs and how to build it', async () => {
  const from = fakePackage({ name: gpu, lib: null })
  const expected = {
    trouble: 'no-native-part',
    message: expect.stringMatching(
      /tfjs-node-gpu is installed, but its native part is missing .*napi-v8.tfjs_binding\.node$/,
    ),
    fix: buildGpu,
  }
  await expect(probeTensorflow('gpu', { from })).rejects.toMatchObject(expected)
  await expect(tfjs({ engine: 'tensorflow', device: 'gpu', from })).rejects.toMatchObject(expected)
})

test('a native part for another interface of Node alone is the wrong ABI', async () => {
  await expect(probeTensorflow('cpu', { from: fakePackage({ lib: 'napi-v3' }) })).rejects.toMatchObject({
    trouble: 'wrong-abi',
    message: expect.stringContaining(`is for napi-v3; Node ${process.versions.node} looks for`),
    fix: buildCpu,
  })
})

test('a native part that is no library of this system is the wrong ABI, by the words of the system', async () => {
  const from = fakePackage({ code: 'require(binding)' })
  writeFileSync(join(from, 'node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node'), 'MZ'.padEnd(200))
  const expected = {
    trouble: 'wrong-abi',
    message: expect.stringMatching(
      /the native part of @tensorflow\/tfjs-node is of another system, or broken; this is Node/,
    ),
  }
  await expect(probeTensorflow('cpu', { from })).rejects.toMatchObject(expected)
  await expect(tfjs({ engine: 'tensorflow', from })).rejects.toMatchObject(expected)
})

const dso = (file: string) =>
  `2030-01-01 00:00:00.0: W dso_loader.cc:64] Could not load dynamic library '${file}'; dlerror: ${file}: cannot open shared object file\n`

test('a missing cuDNN is named with the version that is wanted, and how to get it', async () => {
  const from = fakePackage({ name: gpu, code: loads(false, dso('libcudnn.so.8')) })
  await expect(probeTensorflow('gpu', { from, env })).rejects.toMatchObject({
    trouble: 'no-library',
    message:
      '@tensorflow/tfjs-node-gpu is loaded, but libcudnn.so.8 is not found (cuDNN, version 8); TensorFlow 2.9.1 wants CUDA 11.2 and cuDNN 8.1',
    fix: `install cuDNN, version 8 and name its folder in LD_LIBRARY_PATH; or, for CUDA 12, ${buildGpu}`,
  })
})

test('libraries of CUDA 12 come from pip, and the version wanted is that of the library built against', async () => {
  const record = { tensorflow: '2.21.0', cuda: '12.5.1', cudnn: '9' }
  const log = dso('libcublas.so.12') + dso('libcudnn.so.9') + dso('libnvinfer.so.7')
  const from = fakePackage({ name: gpu, record, code: loads(false, log) })
  await expect(probeTensorflow('gpu', { from, env })).rejects.toMatchObject({
    trouble: 'no-library',
    message:
      '@tensorflow/tfjs-node-gpu is loaded, but libcublas.so.12 is not found (cuBLAS of CUDA, version 12), nor libcudnn.so.9; TensorFlow 2.21.0 wants CUDA 12.5.1 and cuDNN 9',
    fix: expect.stringMatching(/^pip install nvidia-cublas-cu12 /),
  })
})

test('without the driver that comes first', async () => {
  const from = fakePackage({ name: gpu, code: loads(false, dso('libcudart.so.11.0') + dso('libcuda.so.1')) })
  await expect(probeTensorflow('gpu', { from, env })).rejects.toMatchObject({
    trouble: 'no-library',
    message: expect.stringContaining("libcuda.so.1 is not found (NVIDIA's driver), nor libcudart.so.11.0"),
    fix: expect.stringMatching(/^install NVIDIA's driver/),
  })
})

test('no device: with what CUDA says, with what hides it, or with a library that has no CUDA', async () => {
  const log = 'failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected\n'
  const from = fakePackage({ name: gpu, code: loads(false, log) })
  await expect(probeTensorflow('gpu', { from, env })).rejects.toMatchObject({
    trouble: 'no-device',
    message: expect.stringContaining('finds no GPU (CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected)'),
    fix: expect.stringContaining('nvidia-smi'),
  })
  await expect(probeTensorflow('gpu', { from, env: { ...env, CUDA_VISIBLE_DEVICES: '-1' } })).rejects.toMatchObject({
    trouble: 'no-device',
    message: '@tensorflow/tfjs-node-gpu is loaded, but CUDA_VISIBLE_DEVICES="-1" hides every GPU',
  })
  const record = { tensorflow: '2.21.0', cuda: null, cudnn: null }
  const without = fakePackage({ name: gpu, record, code: loads(false) })
  await expect(probeTensorflow('gpu', { from: without, env })).rejects.toMatchObject({
    trouble: 'no-device',
    message: '@tensorflow/tfjs-node-gpu is loaded, but the TensorFlow 2.21.0 that it was built against has no CUDA',
    fix: buildGpu,
  })
})

test('a library that ends the process is told apart from one that throws', async () => {
  const killed = fakePackage({ code: "process.kill(process.pid, 'SIGILL')" })
  await expect(probeTensorflow('cpu', { from: killed })).rejects.toMatchObject({
    trouble: 'does-not-start',
    message: expect.stringContaining('ends the process as it is loaded (SIGILL)'),
  })
  const broken = fakePackage({ code: "process.kill(process.pid, 'SIGBUS')" })
  await expect(probeTensorflow('cpu', { from: broken })).rejects.toMatchObject({
    message: expect.stringMatching(/\(SIGBUS\): its native part may be broken \(.*tfjs_binding\.node\)$/),
    fix: buildCpu,
  })
  const throwing = fakePackage({ code: "throw new Error('Could not initialize TensorFlow backend.')" })
  await expect(probeTensorflow('cpu', { from: throwing })).rejects.toMatchObject({
    trouble: 'does-not-start',
    message: '@tensorflow/tfjs-node does not start: Could not initialize TensorFlow backend.',
  })
})

test.each([
  [false, undefined, '0'],
  [true, undefined, 'undefined'],
  [true, '0', 'undefined'],
])('with tf32 %s where the environment says %s the library starts with NVIDIA_TF32_OVERRIDE=%s', async (...row) => {
  const [tf32, before, expected] = row
  onTestFinished(() => void delete process.env['NVIDIA_TF32_OVERRIDE'])
  if (before !== undefined) process.env['NVIDIA_TF32_OVERRIDE'] = before
  const from = fakePackage({ name: gpu, code: "throw new Error('override ' + process.env.NVIDIA_TF32_OVERRIDE)" })
  await expect(tfjs({ engine: 'tensorflow', device: 'gpu', tf32, from })).rejects.toThrow(`override ${expected}`)
})

test('one that loads and computes where it should is no trouble', async () => {
  const from = fakePackage({ name: gpu, code: loads(true) })
  expect(await probeTensorflow('gpu', { from, env })).toEqual({
    device: 'gpu',
    packageName: gpu,
    packageVersion: '4.22.0',
    libraryVersion: '2.9.1',
  })
})

test('only libraries of CUDA count as missing, each once', () => {
  const log = dso('libnvinfer.so.7') + dso('libcudart.so.11.0') + dso('libcudart.so.11.0')
  expect(missingLibraries(log)).toEqual(['libcudart.so.11.0'])
})
