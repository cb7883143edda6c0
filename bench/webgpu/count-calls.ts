import { globals } from 'webgpu'

export interface Calls {
  dispatches: number
  submits: number
}

/** Counts dispatches and submits of whatever uses the device. */
export function countCalls(device: GPUDevice): Calls {
  const counts: Calls = { dispatches: 0, submits: 0 }
  const passes = globals as unknown as { GPUComputePassEncoder: { prototype: GPUComputePassEncoder } }
  const { prototype } = passes.GPUComputePassEncoder
  const dispatch = Object.getOwnPropertyDescriptor(prototype, 'dispatchWorkgroups')!.value as (
    ...args: unknown[]
  ) => undefined
  prototype.dispatchWorkgroups = function (this: GPUComputePassEncoder, ...args: unknown[]) {
    counts.dispatches++
    return dispatch.apply(this, args)
  }
  const submit = device.queue.submit.bind(device.queue)
  Object.defineProperty(device.queue, 'submit', {
    value: (buffers: GPUCommandBuffer[]) => {
      counts.submits++
      return submit(buffers)
    },
  })
  return counts
}
