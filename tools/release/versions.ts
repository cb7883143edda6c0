import type { Package } from './workspace.js'

/**
 * Whether a caret range of ours admits a version: `^1.2.3` up to 2.0.0, `^0.2.3` up to 0.3.0, `^0.0.3` that alone.
 *
 * @throws RangeError when either is not of the form major.minor.patch
 */
export function caretAdmits(range: string, version: string): boolean {
  if (!range.startsWith('^')) throw new RangeError(`caretAdmits: a range must start with ^ (it is ${range})`)
  const low = parseVersion(range.slice(1))
  const v = parseVersion(version)
  const firstNonZero = low.findIndex((part) => part !== 0)
  const fixed = firstNonZero < 0 ? 3 : firstNonZero + 1 // the parts that must agree
  if (low.slice(0, fixed).some((part, i) => part !== v[i])) return false
  const differing = low.findIndex((part, i) => part !== v[i])
  return differing < 0 || v[differing] > low[differing]
}

/** The three numbers of a version. */
export function parseVersion(version: string): [number, number, number] {
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(version)
  if (match === null) throw new RangeError(`parseVersion: a version must be major.minor.patch (it is ${version})`)
  return [Number(match[1]), Number(match[2]), Number(match[3])]
}

/**
 * What is wrong with the versions that a release would give, one line each: a package that was never released and
 * stays so, a new major that no changeset asks for, and a range of ours that the new version of its package is outside.
 *
 * @param before       the packages as they are
 * @param after        the packages as the release would leave them
 * @param askedMajors  names that a changeset lists as major
 */
export function versionProblems(
  before: readonly Package[],
  after: readonly Package[],
  askedMajors: ReadonlySet<string>,
): string[] {
  const previous = new Map(before.map(({ name, manifest }) => [name, manifest.version]))
  const versions = new Map(after.map(({ name, manifest }) => [name, manifest.version]))
  return after.flatMap(({ name, manifest }) => {
    const problems: string[] = []
    const old = previous.get(name) ?? '0.0.0'
    if (manifest.version === '0.0.0') problems.push(`${name} was never released and no changeset names it`)
    if (old === '0.0.0' && manifest.version !== '0.0.0' && manifest.version !== '0.1.0') {
      problems.push(`${name} would first be released as ${manifest.version}, which should be 0.1.0`)
    }
    if (parseVersion(manifest.version)[0] > parseVersion(old)[0] && !askedMajors.has(name)) {
      problems.push(`${name} would go from ${old} to ${manifest.version} and no changeset asks for a major`)
    }
    const needs = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies }
    for (const [needed, range] of Object.entries(needs)) {
      const version = versions.get(needed)
      if (version !== undefined && !caretAdmits(range, version)) {
        problems.push(`${name} needs ${needed} ${range}, which the released ${version} is outside`)
      }
    }
    return problems
  })
}
