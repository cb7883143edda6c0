/** Numbers that a module's own spec may carry, so that its network can be compared with others. */
interface CountedSpec {
  readonly parameters?: unknown
  readonly multiplyAdds?: unknown
}

/** Sizes of a network; null where nobody tells. */
export interface Counts {
  /** Trained parameters. */
  readonly params: number | null
  /** Multiply-adds of a forward pass for one example. */
  readonly multiplyAdds: number | null
}

/** Of a network that is not ours, only what the spec of its objective tells: in it, or in its `network`. */
export function countsOfSpec(spec: CountedSpec): Counts {
  const network = (spec as { readonly network?: CountedSpec }).network ?? {}
  const count = (key: keyof CountedSpec) => {
    const found = [spec[key], network[key]].find((value) => typeof value === 'number' && value > 0)
    return (found as number | undefined) ?? null
  }
  return { params: count('parameters'), multiplyAdds: count('multiplyAdds') }
}
