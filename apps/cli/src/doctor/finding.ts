import { formatTable } from '../terminal/format.js'

/** Result of one check. */
export interface Finding {
  readonly name: string
  /** `missing`: optional and not there. `planned`: no version has it yet. Only `fail` makes the doctor unhappy. */
  readonly status: 'ok' | 'fail' | 'missing' | 'planned'
  readonly text: string
  /** A command that may help. */
  readonly fix?: string
  /** For programs. */
  readonly details?: object
}

export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ status }) => status !== 'fail')
}

export function findingLines(findings: readonly Finding[]): string[] {
  const rows = findings.flatMap(({ name, status, text, fix }) => [
    [`  ${name}`, status, text],
    ...(fix === undefined ? [] : [['', '', `fix: ${fix}`]]),
  ])
  return formatTable(rows)
}
