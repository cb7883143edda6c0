/** The oldest Node that dit's packages run on. */
const OLDEST = [20, 19] as const

/**
 * What is wrong with a version of Node, or null.
 *
 * @param version as `process.versions.node` has it, such as `20.19.0`
 */
export function nodeProblem(version: string): string | null {
  const [major, minor] = version.split('.').map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return null
  return `create-dit: Node must be ${OLDEST.join('.')} or later (this is ${version}); https://nodejs.org has newer ones`
}
