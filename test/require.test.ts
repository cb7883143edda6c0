import { expect, test, vi } from 'vitest'
import { readRequired, testNeeding } from './require.js'

test('a list of needs may be empty, spaced or comma-separated', () => {
  expect([...readRequired('')]).toEqual([])
  expect([...readRequired('browser, python mpi')]).toEqual(['browser', 'python', 'mpi'])
})

test('a name that is no need is an error, so that a slip of the pen skips nothing', () => {
  expect(() => readRequired('browser,pyhton')).toThrow(/DIT_REQUIRE may name browser,.* \(it names pyhton\)/)
})

test('what is present runs under the plain test function', () => {
  expect(testNeeding('python', true, '')).toBe(test)
})

test('what is missing and not required is skipped with a line', () => {
  vi.stubEnv('DIT_REQUIRE', '')
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const given = testNeeding('mpi', false, 'no mpirun on the PATH')
  expect(write).toHaveBeenCalledWith('skipped what needs mpi: no mpirun on the PATH\n')
  write.mockRestore()
  vi.unstubAllEnvs()
  expect(given).not.toBe(test)
})
