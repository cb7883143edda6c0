// Compiles csrc/ and writes src/node/threads/sums-module.ts: `npm run build:wasm`, or with another clang
// `npm run build:wasm -- clang`.
import { writeWasmModule } from '../../../tools/wasm/compile.js'
import { buildSums } from './build-sums.js'

const compiler = process.argv[2] ?? 'clang-16'
const file = new URL('../src/node/threads/sums-module.ts', import.meta.url)
await writeWasmModule(file, buildSums(compiler), { by: 'tools/write-wasm.ts', from: 'csrc/' }, compiler)
