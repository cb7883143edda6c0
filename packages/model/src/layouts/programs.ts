import type { Program } from './program.js'

/** Programs whose files are told apart; by itself, so that a page need not load what tells them. */
export const PROGRAMS: readonly Program[] = ['DiT', 'SiT', 'REPA', 'LightningDiT', 'JiT']
