/** Folder of a step's checkpoint within a run. */
export function checkpointPath(step: number): string {
  return `checkpoints/step-${String(step).padStart(7, '0')}`
}

/** Step of a folder named so, or null. */
export function checkpointStep(name: string): number | null {
  const match = /^step-(\d{7,})$/.exec(name)
  return match === null ? null : Number(match[1])
}

/** Files of a checkpoint; the manifest is written last. */
export const CHECKPOINT_FILES = {
  model: 'model.safetensors',
  ema: 'ema.safetensors',
  optimizer: 'optimizer.safetensors',
  state: 'state.json',
} as const

export const MANIFEST = 'manifest.json'
