import { inflateSync } from 'node:zlib'
import { assert } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { compilerVersion } from '../../../tools/wasm/compile.js'
import { buildWasm, moduleName, WASM_VARIANTS } from '../tools/build-wasm.js'

/** What a file of src/wasm/modules exports. */
interface ModuleFile {
  readonly compiler: string
  readonly deflated: string
}

const files = await Promise.all(
  WASM_VARIANTS.map((variant) => import(`../src/wasm/modules/${moduleName(variant)}.ts`) as Promise<ModuleFile>),
)
const recorded = files[0].compiler
const compiler = ['clang-16', 'clang'].find((name) => compilerVersion(name) === recorded)
const test = testNeeding('clang', compiler !== undefined, `no ${recorded}, which made the WebAssembly modules`)

test.each(WASM_VARIANTS.map((variant, i) => ({ name: moduleName(variant), variant, file: files[i] })))(
  '$name is what the recorded compiler makes of csrc',
  ({ variant, file }) => {
    assert(file.compiler === recorded)
    assert(inflateSync(Buffer.from(file.deflated, 'base64')).equals(buildWasm(variant, compiler!)))
  },
)
