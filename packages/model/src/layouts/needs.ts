import type { Program, SavedArguments } from './program.js'

/** What a network has that is not built here, in words. */
export function needsOf(program: Program | null, saved: SavedArguments): readonly string[] {
  const scale = program === 'JiT' ? saved.get('noise_scale') : undefined
  return typeof scale === 'number' && scale !== 1 ? [`noise of scale ${scale}`] : []
}
