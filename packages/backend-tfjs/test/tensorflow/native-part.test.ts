import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { probeTensorflow } from '@dit/backend-tfjs/node'
import { expect } from 'vitest'
import { testNeeding } from '../../../../test/require.js'
import { fakePackage } from './fake-package.js'

const compiler = process.env['CC'] ?? 'cc'
const hasCompiler = process.platform === 'linux' && runs(compiler)
const test = testNeeding('compiler', hasCompiler, `no C compiler ${compiler} on Linux`)

test('a native part built for another Node is the wrong ABI, and names both', async () => {
  const from = fakePackage({ code: 'require(binding)' })
  // What a module of Node 16 (NODE_MODULE_VERSION 93) does when it is loaded: it registers itself with that number.
  build(
    from,
    `struct module { int version; unsigned flags; void* handle; const char* file; void* init; void* context_init;
       const char* name; void* data; void* link; };
     void node_module_register(void*);
     static void init(void) {}
     static struct module self = { 93, 0, 0, "x.c", init, 0, "tfjs_binding", 0, 0 };
     __attribute__((constructor)) static void enter(void) { node_module_register(&self); }`,
  )
  await expect(probeTensorflow('cpu', { from })).rejects.toMatchObject({
    trouble: 'wrong-abi',
    message: expect.stringMatching(
      `was built for NODE_MODULE_VERSION 93; this is Node ${process.versions.node} .*NODE_MODULE_VERSION ${process.versions.modules}`,
    ),
  })
})

test('a native part whose TensorFlow has been moved away misses a library', async () => {
  const from = fakePackage({ code: 'require(binding)' })
  build(from, 'int TF_Version; int* used(void) { return &TF_Version; }', 'libtensorflow_cc.so.2')
  await expect(probeTensorflow('cpu', { from })).rejects.toMatchObject({
    trouble: 'no-library',
    message: '@tensorflow/tfjs-node is installed, but libtensorflow_cc.so.2 is not found (TensorFlow)',
    fix: expect.stringMatching(/pip install tensorflow-cpu && npx dit-tensorflow build --python venv/),
  })
})

function runs(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Compiles the native part of a fake package; it needs `library`, which is gone when it is loaded. */
function build(root: string, source: string, library?: string): void {
  const folder = join(root, 'node_modules/@tensorflow/tfjs-node/lib/napi-v8')
  const compile = (...args: string[]) => execFileSync(compiler, ['-shared', '-fPIC', ...args], { cwd: folder })
  writeFileSync(join(folder, 'x.c'), source)
  if (library !== undefined) {
    writeFileSync(join(folder, 'gone.c'), 'int TF_Version;')
    compile('-o', 'gone.so', 'gone.c', `-Wl,-soname,${library}`)
    compile('-o', 'tfjs_binding.node', 'x.c', '-Wl,--no-as-needed', './gone.so')
  } else {
    compile('-o', 'tfjs_binding.node', 'x.c')
  }
}
