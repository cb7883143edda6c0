import { expect, test } from 'vitest'
import { showEngine } from '../../src/engines/show-engine.js'
import { createOutput } from '../../src/terminal/output.js'

const description = { name: 'webgpu', version: '1.0.0', instructionSet: 'llvmpipe', threads: 1 } as const

function shown(engine: Parameters<typeof showEngine>[0], quiet: boolean) {
  let [stdout, stderr] = ['', '']
  const io = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
  }
  showEngine(engine, createOutput({ quiet }, io))
  return { stdout, stderr }
}

test('an engine is named, and what is wrong with it is said even where little else is', () => {
  expect(shown({ description }, false)).toEqual({ stdout: 'engine webgpu 1.0.0 (llvmpipe)\n', stderr: '' })
  const slow = shown({ description, warning: 'this adapter is slow' }, true)
  expect(slow.stdout).toBe('')
  expect(slow.stderr).toMatch(/^dit: --backend webgpu: this adapter is slow \(lines "Warning: .* harmless\)\n$/)
})
