/** The package of trained weights. */
export const PRETRAINED = '@dit/pretrained'

/** The model that `@dit/pretrained/<model>` names, empty where the name ends too early; null for any other source. */
export function pretrainedName(source: unknown): string | null {
  if (typeof source !== 'string') return null
  if (source === PRETRAINED) return ''
  return source.startsWith(`${PRETRAINED}/`) ? source.slice(PRETRAINED.length + 1) : null
}
