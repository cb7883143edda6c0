import { expect, test } from 'vitest'
import { ENGINES_ELSEWHERE } from '../../src/engines/elsewhere.js'
import { BACKENDS } from '../../src/engines/names.js'
import { runDit } from '../support/run-dit.js'

test('no name of another program is one of ours, and what is pointed to exists', () => {
  const ours: readonly string[] = BACKENDS
  for (const [name, text] of Object.entries(ENGINES_ELSEWHERE)) {
    expect(ours).not.toContain(name)
    expect(name).toBe(name.toLowerCase())
    expect(text).toMatch(/^[^\n]+\.$/)
    for (const [engine] of text.matchAll(/\b(?:tfjs|cpu)-[a-z-]+/g)) expect(ours).toContain(engine)
  }
})

test('a device of PyTorch is explained whatever its number', async () => {
  for (const device of ['cuda', 'cuda:3', 'MPS']) {
    const { code, stderr } = await runDit(['train', '--backend', device])
    expect(code).toBe(2)
    expect(stderr).toContain('webgpu computes on graphics cards')
  }
})
