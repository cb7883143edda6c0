/** An option that cannot be: what it is called, what came, and why it cannot. */
export class OptionError extends RangeError {
  override readonly name = 'OptionError'
  declare readonly option: string
  declare readonly problem: string
  declare readonly value?: string | number

  /**
   * @param option  its name, such as `steps`, or `process.interpolant`
   * @param problem what must hold, or why it cannot be; names of options stand in backquotes
   * @param value   what came; left out where the option is missing, or its value says nothing
   */
  constructor(option: string, problem: string, value?: string | number, options?: ErrorOptions) {
    super(optionProblem(option, problem, value), options)
    Object.assign(this, { option, problem, value })
  }
}

/**
 * What is wrong with an option, by whatever name a user knows it: `steps 60 is more than ...`, `spacing beta: the model ...`.
 *
 * @param problem as of `OptionError`: a sentence about it, which begins with `it` or `they`, or a reason
 */
export function optionProblem(name: string, problem: string, value?: string | number): string {
  const subject = value === undefined ? name : `${name} ${value}`
  const about = /^(?:it|they) (.*)$/s.exec(problem)
  return about === null ? `${subject}: ${problem}` : `${subject} ${about[1]}`
}

/** A model that cannot be opened: which, what is missing, and where it was looked for. */
export class OpenError extends Error {
  override readonly name = 'OpenError'
  /** What was to be opened, as it was given. */
  declare readonly source: string
  declare readonly problem: string

  constructor(source: string, problem: string, options?: ErrorOptions) {
    super(optionProblem(source, problem), options)
    Object.assign(this, { source, problem })
  }
}
