import { assert } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import * as single from '../src/wasm/single.js'
import * as threads from '../src/wasm/threads.js'
import { buildWasm, compilerVersion } from '../tools/build-wasm.js'

const compiler = ['clang-16', 'clang'].find((name) => compilerVersion(name) === single.compiler)
const test = testNeeding('clang', compiler !== undefined, `no ${single.compiler}, which made the WebAssembly modules`)

test('the modules are what the recorded compiler makes of csrc', () => {
  assert(threads.compiler === single.compiler)
  assert(Buffer.from(buildWasm('single', compiler!)).toString('base64') === single.base64)
  assert(Buffer.from(buildWasm('threads', compiler!)).toString('base64') === threads.base64)
})
