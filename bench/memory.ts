import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** Memory of this process as the operating system counts it. */
export interface ProcessMemory {
  readonly residentBytes: number
  /** Largest resident size since `resetPeak`, or since the process began where `isPeakReset` is false. */
  readonly peakBytes: number
}

const STATUS = '/proc/self/status'

/** Reads the account of the operating system: VmRSS and VmHWM on Linux, elsewhere the figures that Node has. */
export function processMemory(): ProcessMemory {
  if (!existsSync(STATUS)) {
    return { residentBytes: process.memoryUsage.rss(), peakBytes: process.resourceUsage().maxRSS * 1024 }
  }
  const status = readFileSync(STATUS, 'utf8')
  const kilobytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1])
  return { residentBytes: 1024 * kilobytes('VmRSS'), peakBytes: 1024 * kilobytes('VmHWM') }
}

/** Lets the peak begin anew at the present size, after a collection where Node allows one. False where it cannot. */
export function resetPeak(): boolean {
  const { gc } = globalThis as { gc?: () => void }
  gc?.()
  try {
    writeFileSync('/proc/self/clear_refs', '5')
    return true
  } catch {
    return false
  }
}
