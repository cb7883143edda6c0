import { totalmem } from 'node:os'

/** Bytes of memory that a process can have here: those of the machine, or of the container that it is confined to. */
export function machineMemory(): number {
  const confined = process.constrainedMemory()
  return confined > 0 ? Math.min(confined, totalmem()) : totalmem()
}
