import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { PROGRAM } from './support/run-dit.js'

test.skipIf(process.platform === 'win32')('a reader that leaves early (info | head -1) is no error', () => {
  const script = '"$0" "$1" info DiT-XL/2 --tensors 2>&1 | head -1; echo "${PIPESTATUS[0]}"'
  const said = execFileSync('bash', ['-c', script, process.execPath, PROGRAM], { encoding: 'utf8' })
  expect(said).toMatch(/^DiT-XL\/2[^\n]*\n0\n$/)
})
