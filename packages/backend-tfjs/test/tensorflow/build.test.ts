import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBinding, findPackage, libraryIn, libraryOfPython } from '@dit/backend-tfjs/node'
import { expect, onTestFinished, test } from 'vitest'
import { compilerArguments } from '../../src/node/build-binding.js'
import { patched, PATCHES } from '../../src/node/patches.js'
import { fakePackage } from './fake-package.js'

/** Empty files under a folder that is removed when the test ends. */
function folderWith(paths: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'dit-library-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(paths)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

const header = { 'include/tensorflow/c/c_api.h': '' }

test('finds the library of a Python package, and what CUDA it wants', () => {
  const info = "build_info = collections.OrderedDict([('cuda_version', '12.5.1'), ('cudnn_version', '9')])"
  const root = folderWith({
    ...header,
    'libtensorflow_cc.so.2': '',
    'libtensorflow_framework.so.2': '',
    'python/platform/build_info.py': info,
  })
  expect(libraryIn(root)).toEqual({
    folder: root,
    include: join(root, 'include'),
    files: ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
    cuda: '12.5.1',
    cudnn: '9',
  })
})

test('finds the library of an unpacked tarball', () => {
  const root = folderWith({ ...header, 'lib/libtensorflow.so.2': '', 'lib/libtensorflow_framework.so.2': '' })
  expect(libraryIn(root)).toEqual({
    folder: join(root, 'lib'),
    include: join(root, 'include'),
    files: ['libtensorflow.so.2', 'libtensorflow_framework.so.2'],
    cuda: null,
    cudnn: null,
  })
})

test('a folder without headers or libraries, and a Python without TensorFlow, are errors', () => {
  const empty = folderWith({})
  expect(() => libraryIn(empty)).toThrow(`libraryIn: ${empty} must hold include/tensorflow/c/c_api.h`)
  const headers = folderWith(header)
  expect(() => libraryIn(headers)).toThrow(/neither it nor its lib holds libtensorflow_cc\.so\.2 with libtensorflow_f/)
  expect(() => libraryOfPython('/nowhere/python')).toThrow('libraryOfPython: /nowhere/python does not run')
})

test('links the library that it was given, and finds it again where it lies', () => {
  const library = { folder: '/tf', include: '/tf/include', files: ['liba.so.2', 'libb.so.2'], cuda: null, cudnn: null }
  const args = compilerArguments({ work: '/w', built: '/w/out.node', library, nodeHeaders: '/node' })
  expect(args).toEqual(expect.arrayContaining(['-I/node', '-I/tf/include', '/w/tfjs_backend.cc', '-Wl,-rpath,/tf']))
})

test.runIf(process.platform === 'linux')(
  'without a compiler or a known source it says so and leaves nothing',
  async () => {
    const found = findPackage('cpu', fakePackage({ lib: null }))
    const library = { folder: '/tf', include: '/tf/include', files: [], cuda: null, cudnn: null }
    const nodeHeaders = '/node'
    await expect(buildBinding(found, library, { compiler: '/nowhere/c++', nodeHeaders })).rejects.toThrow(
      'buildBinding: no C++ compiler /nowhere/c++; install g++ or clang',
    )
  },
)

test('patches go in once, behind their place, and a source of another version is an error', () => {
  const patch = { file: 'a.cc', reason: 'a test', after: 'x;\n', insert: 'y;\n' }
  expect(patched('a.cc', 'a;\nx;\nb;\n', [patch])).toBe('a;\nx;\ny;\nb;\n')
  expect(patched('b.cc', 'x;\n', [patch])).toBe('x;\n')
  expect(() => patched('a.cc', 'a;\n', [patch])).toThrow(
    new RangeError('patched: a.cc must hold "x;" once (it does 0 times); wanted for: a test'),
  )
  expect(() => patched('a.cc', 'x;\nx;\n', [patch])).toThrow('(it does 2 times)')
  expect(PATCHES.every(({ after, insert }) => after.endsWith('\n') && insert.endsWith('\n'))).toBe(true)
})
