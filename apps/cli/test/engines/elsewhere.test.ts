import { expect, test } from 'vitest'
import { ENGINES_ELSEWHERE } from '../../src/engines/elsewhere.js'
import { BACKENDS } from '../../src/engines/names.js'

test('no name of another program is one of ours, and what is pointed to exists', () => {
  const ours: readonly string[] = BACKENDS
  for (const [name, text] of Object.entries(ENGINES_ELSEWHERE)) {
    expect(ours).not.toContain(name)
    expect(name).toBe(name.toLowerCase())
    expect(text).toMatch(/^[^\n]+\.$/)
    for (const [engine] of text.matchAll(/\b(?:tfjs|cpu)-[a-z-]+/g)) expect(ours).toContain(engine)
  }
})
