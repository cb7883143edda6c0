// Compiles csrc/ and writes the files of src/wasm/modules: `npm run build:wasm`, or with another clang
// `npm run build:wasm -- clang`.
import { writeWasmModule } from '../../../tools/wasm/compile.js'
import { buildWasm, moduleName, WASM_VARIANTS } from './build-wasm.js'

const compiler = process.argv[2] ?? 'clang-16'
for (const variant of WASM_VARIANTS) {
  const file = new URL(`../src/wasm/modules/${moduleName(variant)}.ts`, import.meta.url)
  await writeWasmModule(
    file,
    buildWasm(variant, compiler),
    { by: 'tools/write-wasm.ts', from: 'csrc/' },
    compiler,
    'deflated',
  )
}
