import { reference, useBackend } from '@dit/tensor'

let ready: Promise<unknown> | undefined

/** The engine of all figures: dit's plain TypeScript one, in float64. Figures are small; nothing has to be loaded. */
export async function useEngine(): Promise<void> {
  await (ready ??= useBackend(reference()))
}
