import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { compilerVersion } from '../../../tools/wasm/compile.js'

const compiler = process.env['CC'] ?? 'cc'
const isHere = process.platform !== 'win32' && compilerVersion(compiler) !== null
const test = testNeeding('compiler', isHere, `no C compiler (${compiler})`)

test('a thread that stays in a kernel is given up, and later kernels fail at once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dit-stuck-thread-'))
  try {
    const program = join(folder, 'stuck-thread')
    const sources = ['stuck-thread.c', '../csrc/pool_threads.c']
    execFileSync(compiler, ['-std=gnu11', '-O1', '-pthread', ...sources, '-o', program], { cwd: import.meta.dirname })
    expect(execFileSync(program, { encoding: 'utf8', timeout: 60_000 })).toBe('1, then 1 at once\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
