import { DeviceLostError } from '../errors.js'

/** Errors that the device reports later than the call that caused them. */
export interface Failures {
  /** Throws what went wrong since the last time, or that the device is lost. */
  readonly check: () => void
  /** Notes who asks for memory, in case there is none; `label` names it to the device. */
  readonly noteMemory: (label: string, bytes: number, reservedBytes: number) => void
  /** What it returns is called where the device has done all that was asked before, and nothing went wrong. */
  readonly settling: () => () => void
}

interface MemoryRequest {
  readonly bytes: number
  readonly reservedBytes: number
  /** Whose stack leads to the op. */
  readonly origin: Error
}

/** @param onNoMemory called with the label of what could not be had */
export function watchFailures(
  name: string,
  device: GPUDevice,
  onNoMemory: (label: string) => void,
): Failures & { readonly expectLoss: () => void } {
  let failure: Error | null = null
  let lost: DeviceLostError | null = null
  let isExpected = false
  const requests = new Map<string, MemoryRequest>()
  const outOfMemory = (message: string): Error => {
    const label = [...requests.keys()].find((each) => message.includes(`"${each}"`))
    const advice = "use a smaller batch or model, or recompute: 'block' in training"
    const words = message.split('\n')[0]
    if (label === undefined) return new Error(`${name}: the device is out of memory; ${advice} (${words})`)
    onNoMemory(label)
    const { bytes, reservedBytes, origin } = requests.get(label)!
    const asked = `${bytes} bytes were asked for beside ${reservedBytes} that are taken`
    return new Error(`${name}: the device is out of memory: ${asked}; ${advice} (${words})`, { cause: origin })
  }
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault()
    const { error } = event
    const kind = error.constructor.name
      .replace(/^GPU/, '')
      .replace(/Error$/, '')
      .toLowerCase()
    // Of several errors the first is thrown, but all memory that could not be had is told of.
    const found =
      kind === 'outofmemory'
        ? outOfMemory(error.message)
        : new Error(`${name}: the device refused an operation (${kind}): ${error.message}`)
    failure ??= found
  })
  const noteLoss = async () => {
    const { reason, message } = await device.lost
    if (isExpected) return
    lost = new DeviceLostError(
      `${name}: the device was lost (${reason}: ${message}); make a new backend with webgpu() and resume from the last checkpoint`,
    )
  }
  void noteLoss()
  return {
    check() {
      if (lost !== null) throw lost
      if (failure === null) return
      const thrown = failure
      failure = null
      throw thrown
    },
    noteMemory(label, bytes, reservedBytes) {
      // V8 keeps ten frames, which our own fill before the caller's begin; other engines keep more.
      const limit = Error.stackTraceLimit
      Error.stackTraceLimit = 50
      requests.set(label, { bytes, reservedBytes, origin: new Error(`${name}: ${bytes} bytes are asked for here`) })
      Error.stackTraceLimit = limit
    },
    settling() {
      const labels = [...requests.keys()]
      return () => {
        for (const label of labels) requests.delete(label)
      }
    },
    expectLoss() {
      isExpected = true
      lost = new DeviceLostError(`${name}: the backend was disposed of`)
    },
  }
}
