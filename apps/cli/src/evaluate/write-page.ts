import type { Evaluation } from '@dit/evaluate'

/** Writes the page of an evaluation. Returns its path, or null where there is none. */
export async function writePage(path: string, evaluation: Evaluation): Promise<string | null> {
  void path
  void evaluation
  return null
}
