import { fileURLToPath } from 'node:url'
import { compileWasm } from '../../../tools/wasm/compile.js'

/** Compiles csrc/ to a module whose memory threads share. */
export function buildSums(compiler: string): Buffer {
  return compileWasm({
    compiler,
    folder: fileURLToPath(new URL('../csrc/', import.meta.url)),
    sources: ['sums.c'],
    compilerFlags: ['-matomics'],
    linkerFlags: ['--shared-memory', `--max-memory=${2 ** 32}`],
  })
}
