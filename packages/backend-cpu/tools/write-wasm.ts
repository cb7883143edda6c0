// Compiles csrc/ and writes the files of src/wasm/modules: `npm run build:wasm`, or with another clang
// `npm run build:wasm -- clang`. The modules are inlined as base64, because a string is found by every bundler, page and
// Node without a request for a file.
import { writeFileSync } from 'node:fs'
import { buildWasm, compilerVersion, moduleName, WASM_VARIANTS } from './build-wasm.js'

const compiler = process.argv[2] ?? 'clang-16'
const version = compilerVersion(compiler)
if (version === null) throw new Error(`write-wasm: no ${compiler} on the PATH`)

for (const variant of WASM_VARIANTS) {
  const bytes = buildWasm(variant, compiler)
  const text = `// Made by tools/write-wasm.ts from csrc/.

/** The compiler that made it. */
export const compiler = '${version}'

/** A WebAssembly module in base64, ${bytes.length} bytes. */
export const base64 =
  '${Buffer.from(bytes).toString('base64')}'
`
  writeFileSync(new URL(`../src/wasm/modules/${moduleName(variant)}.ts`, import.meta.url), text)
  console.log(`src/wasm/modules/${moduleName(variant)}.ts: ${bytes.length} bytes, ${version}`)
}
