import { DeviceLostError } from '../errors.js'

/** Errors that the device reports later than the call that caused them. */
export interface Failures {
  /** Throws what went wrong since the last time, or that the device is lost. */
  readonly check: () => void
}

export function watchFailures(name: string, device: GPUDevice): Failures & { readonly expectLoss: () => void } {
  let failure: Error | null = null
  let lost: DeviceLostError | null = null
  let isExpected = false
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault()
    const { error } = event
    const kind = error.constructor.name
      .replace(/^GPU/, '')
      .replace(/Error$/, '')
      .toLowerCase()
    failure ??= new Error(`${name}: the device refused an operation (${kind}): ${error.message}`)
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
    expectLoss() {
      isExpected = true
      lost = new DeviceLostError(`${name}: the backend was disposed of`)
    },
  }
}
