import type { Process } from '@dit/diffusion'

/** A process of your own: any object of the shape of `Process`. */
export interface OwnProcess {
  readonly kind: 'own'
  readonly process: Process
  /** What fixes it: plain data, kept in checkpoints. */
  readonly spec: object
}
