/** A name from a file as it may stand in an error text: quoted, escaped, cut where it is very long. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name)
}

/** A list from a file, in brackets, cut where it is very long. */
export function bracket(values: readonly (number | string)[]): string {
  return `[${values.length > 12 ? `${values.slice(0, 12).join(', ')}, …` : values.join(', ')}]`
}
