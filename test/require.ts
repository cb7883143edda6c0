import { test as plain } from 'vitest'

/** What some tests need and not every machine has. `DIT_REQUIRE` lists, by these names, what must not be missing. */
const NEEDS = [
  'browser',
  'clang',
  'compiler',
  'cuda',
  'fixtures',
  'matrix-units',
  'mpi',
  'python',
  'shader-f16',
  'tar',
  'tensorflow',
  'vulkan',
] as const

export type Need = (typeof NEEDS)[number]

/**
 * The `test` function for tests that need something of the machine: vitest's own where it is there. Where it is missing
 * the tests are skipped, with one line that says why; where it is missing and `DIT_REQUIRE` names it, they fail.
 *
 *     const test = testNeeding('python', pythonPath !== undefined, 'no python3 on the PATH')
 *
 * @param isPresent  whether the need is met, found out by the caller
 * @param why        what was looked for and not found
 * @throws RangeError when `DIT_REQUIRE` holds a name that is not a need
 */
export function testNeeding(need: Need, isPresent: boolean, why: string): typeof plain | typeof plain.skip {
  const required = readRequired(process.env['DIT_REQUIRE'] ?? '')
  if (isPresent) return plain
  if (required.has(need)) {
    // One failing test in place of an error on import: the other tests of the file still run.
    plain(`${need} is here, as DIT_REQUIRE asks`, () => {
      throw new Error(`DIT_REQUIRE names ${need}, and it is missing: ${why}`)
    })
  }
  process.stdout.write(`skipped what needs ${need}: ${why}\n`)
  return plain.skip
}

/** The needs in a list such as `browser,python`. */
export function readRequired(list: string): ReadonlySet<Need> {
  const names = list.split(/[\s,]+/).filter((name) => name !== '')
  for (const name of names) {
    if (!(NEEDS as readonly string[]).includes(name)) {
      throw new RangeError(`readRequired: DIT_REQUIRE may name ${NEEDS.join(', ')} (it names ${name})`)
    }
  }
  return new Set(names as Need[])
}
